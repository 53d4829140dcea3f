package main

import "encoding/binary"

// handshake tells when a connection's own handshake is over, from what both sides say.
//
// Sources: PostgreSQL, "Message Formats" (a type byte and a length; ReadyForQuery is 'Z'; SSLRequest is answered by one
// byte); the TWS API (frames with a length; the first has the server's version, nextValidId is message 9, or 209 in
// the binary form); RFC 8446 and RFC 5246 (records; 22 is handshake, 23 application data).
type handshake struct {
	protocol string
	over     bool
	opaque   bool     // Postgres speaks TLS from here on
	up, down framed   // frames that have not come whole
	frames   int      // of TWS: those of the server
	records  [256]int // of TLS: the client's, by type
	oneByte  bool     // of Postgres: the server answers SSLRequest with a byte
	greeted  bool     // of Postgres: the client's first word is known
}

// framed is what a direction still lacks of the frame that it is in.
type framed struct {
	head   []byte
	skip   int
	isLast bool // the frame is the one that is looked for
}

const (
	sslRequest    = 80877103
	gssEncRequest = 80877104
)

func newHandshake(protocol string) *handshake {
	known := map[string]bool{"postgres": true, "tws": true, "tls": true}
	return &handshake{protocol: protocol, over: !known[protocol]}
}

// said takes in what one side says.
func (h *handshake) said(upstream bool, data []byte) {
	if h.over || h.opaque {
		return
	}
	switch {
	case h.protocol == "postgres" && upstream:
		h.postgresClient(data)
	case h.protocol == "postgres":
		h.postgresServer(data)
	case h.protocol == "tws" && !upstream:
		h.over = h.down.each(data, 8, 4, func(head []byte) bool {
			h.frames++
			id := binary.BigEndian.Uint32(head[4:])
			return h.frames > 1 && (head[4] == '9' && head[5] == 0 || id == 9 || id == 209)
		})
	case h.protocol == "tls" && upstream:
		h.over = h.up.each(data, 5, 5, func(head []byte) bool {
			h.records[head[0]]++
			// Before version 1.3 the client's second word is in the clear; since then its last one looks like data.
			wanted := 2
			if h.records[22] > 1 {
				wanted = 1
			}
			return h.records[23] >= wanted
		})
	}
}

func (h *handshake) postgresClient(data []byte) {
	if !h.greeted && len(data) >= 8 {
		code := binary.BigEndian.Uint32(data[4:])
		h.oneByte = code == sslRequest || code == gssEncRequest
		// After a refusal it says its first word again.
		h.greeted = !h.oneByte
	}
}

func (h *handshake) postgresServer(data []byte) {
	if h.oneByte && len(data) > 0 {
		h.oneByte = false
		h.opaque = data[0] != 'N'
		data = data[1:]
		if h.opaque {
			return
		}
	}
	h.over = h.down.each(data, 5, 5, func(head []byte) bool { return head[0] == 'Z' })
}

// each calls back with the head of each frame: `want` bytes of it, of which a length of the rest stands where the
// protocol has it. A frame that is shorter than its head is none of those that are looked for. It says whether the frame
// that is looked for has come whole.
func (f *framed) each(data []byte, want, lengthAt int, isLast func(head []byte) bool) bool {
	for len(data) > 0 {
		if f.skip > 0 {
			taken := min(f.skip, len(data))
			f.skip -= taken
			data = data[taken:]
			if f.skip == 0 && f.isLast {
				return true
			}
			continue
		}
		f.head = append(f.head, data[0])
		data = data[1:]
		if len(f.head) < lengthAt {
			continue
		}
		size := f.size(want, lengthAt)
		if len(f.head) < min(want, size) {
			continue
		}
		f.isLast = len(f.head) >= want && isLast(f.head)
		f.skip = size - len(f.head)
		f.head = f.head[:0]
		if f.skip == 0 && f.isLast {
			return true
		}
	}
	return false
}

// size gives a frame's length with its head: TWS's counts what follows, Postgres's itself too, TLS's has two bytes.
func (f *framed) size(want, lengthAt int) int {
	switch {
	case lengthAt == 4:
		return 4 + int(binary.BigEndian.Uint32(f.head))
	case f.head[1] == 3 && (f.head[0] >= 20 && f.head[0] <= 23):
		return 5 + int(binary.BigEndian.Uint16(f.head[3:]))
	default:
		return 1 + int(binary.BigEndian.Uint32(f.head[1:]))
	}
}
