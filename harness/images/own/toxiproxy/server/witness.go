package main

import (
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// Witness passes everything on, and notes what moves. Told to, it acts on the answers of the server: it holds each
// back for a time, or cuts the connection in its place. It is there from the beginning and only its settings change:
// adding and removing a toxic can hang for ever (their issue 558), changing this one cannot.
//
// It acts after a connection's handshake, or at once; then after so many bytes, or from the so-manieth answer on, both
// counted from when it was told to.
type Witness struct {
	Direction string `json:"direction"`
	Protocol  string `json:"protocol"`
	Action    string `json:"action"` // "", "delay" or "cut"
	DelayMs   int64  `json:"delay_ms"`
	After     string `json:"after"`   // "" or "handshake"
	Counted   string `json:"counted"` // "", "bytes" or "answers"
	Count     int64  `json:"count"`
}

// side is what the witness of one direction of a connection knows.
type side struct {
	*connection
	upstream bool
	held     []held
	closing  bool
}

// held is a piece that has been taken in and not been passed on.
type held struct {
	chunk    *stream.StreamChunk
	due      time.Time
	isAnswer bool // an answer that the fault holds up begins with it
}

const (
	// As many as Toxiproxy's own latency holds.
	heldMax = 1024
	// What was held for so long when the fault was lifted has stood still.
	stoodStill = 250 * time.Millisecond
)

func init() {
	toxics.Register("witness", new(Witness))
}

// NewState is called once for each direction of each connection, upstream first.
func (w *Witness) NewState() interface{} {
	upstream := w.Direction == "upstream"
	found := connectionFor(upstream)
	found.Lock()
	if found.shake == nil {
		found.shake = newHandshake(w.Protocol)
	}
	found.Unlock()
	return &side{connection: found, upstream: upstream}
}

// Pipe runs until the connection ends or the settings change; what it holds then stays for the next run.
func (w *Witness) Pipe(stub *toxics.ToxicStub) {
	settings, s := *w, stub.State.(*side)
	s.begin(settings)
	for {
		if s.closing && len(s.held) == 0 {
			s.closes(stub)
			return
		}
		input, output, first, wait := s.next(stub)
		select {
		case <-stub.Interrupt:
			return
		case <-wait:
		case output <- first:
			s.passed()
		case chunk := <-input:
			if chunk == nil {
				s.ends()
				continue
			}
			if cut := s.take(chunk, settings); cut {
				s.closes(stub)
				return
			}
		}
	}
}

// next says what may happen now: taking in, passing the first piece on, or waiting for its time.
func (s *side) next(stub *toxics.ToxicStub) (
	<-chan *stream.StreamChunk, chan<- *stream.StreamChunk, *stream.StreamChunk, <-chan time.Time,
) {
	if len(s.held) == 0 {
		return stub.Input, nil, nil, nil
	}
	input := stub.Input
	first := s.held[0]
	left := time.Until(first.due)
	// Without a delay nothing is taken in before the last piece is gone: that is how a slow reader slows the writer.
	if s.closing || len(s.held) >= heldMax || left <= 0 {
		input = nil
	}
	if left <= 0 {
		return input, stub.Output, first.chunk, nil
	}
	return input, nil, nil, time.After(left)
}

// begin takes up new settings.
func (s *side) begin(settings Witness) {
	s.Lock()
	defer s.Unlock()
	if s.upstream {
		return
	}
	s.downSince, s.ansSince = s.down.bytes, s.answers
	if settings.Action != "delay" {
		now := time.Now()
		for i := range s.held {
			each := &s.held[i]
			stood := now.Sub(each.chunk.Timestamp) >= stoodStill || s.up.ended
			if each.isAnswer && stood {
				s.late, s.dirty = s.late+1, true
			}
			each.isAnswer, each.due = false, time.Time{}
		}
	}
}

// take takes a piece in; it says whether the connection is to be cut in its place.
func (s *side) take(chunk *stream.StreamChunk, settings Witness) bool {
	s.Lock()
	defer s.Unlock()
	acts := !s.upstream && settings.Action != "" && s.reached(settings)
	begins := s.note(chunk)
	if acts && settings.Counted == "answers" && s.answers-s.ansSince < settings.Count {
		acts = false
	}
	if acts && settings.Counted == "bytes" {
		if spared := settings.Count - (s.down.bytes - int64(len(chunk.Data)) - s.downSince); spared > 0 {
			if spared >= int64(len(chunk.Data)) {
				acts = false
			} else {
				s.held = append(s.held, held{chunk: &stream.StreamChunk{
					Data: chunk.Data[:spared], Timestamp: chunk.Timestamp}})
				chunk = &stream.StreamChunk{Data: chunk.Data[spared:], Timestamp: chunk.Timestamp}
				begins = true
			}
		}
	}
	if acts && settings.Action == "cut" {
		if begins {
			s.lost++
		}
		reset(s.client)
		return true
	}
	piece := held{chunk: chunk}
	if acts {
		piece.isAnswer = begins
		piece.due = chunk.Timestamp.Add(time.Duration(settings.DelayMs) * time.Millisecond)
	}
	s.held = append(s.held, piece)
	return false
}

// reached says whether a connection has come so far that the fault acts on what comes next.
func (s *side) reached(settings Witness) bool {
	return settings.After == "" || s.shake.over
}

// note notes a piece; it says whether an answer begins with it.
func (s *side) note(chunk *stream.StreamChunk) bool {
	s.shake.said(s.upstream, chunk.Data)
	s.dirty = true
	if s.upstream {
		s.up.bytes, s.up.at = s.up.bytes+int64(len(chunk.Data)), chunk.Timestamp
		s.waiting = s.waiting || !isFarewell(chunk.Data)
		return false
	}
	s.down.bytes, s.down.at = s.down.bytes+int64(len(chunk.Data)), chunk.Timestamp
	begins := s.waiting
	if begins {
		s.waiting, s.answers = false, s.answers+1
	}
	return begins
}

// isFarewell says whether a client says no more than that it leaves, which nobody answers: Postgres's Terminate.
func isFarewell(data []byte) bool {
	return string(data) == "X\x00\x00\x00\x04"
}

// passed notes that the first piece was passed on.
func (s *side) passed() {
	first := s.held[0]
	s.held[0] = held{}
	if s.held = s.held[1:]; len(s.held) == 0 {
		s.held = nil
	}
	if first.isAnswer {
		s.Lock()
		s.late, s.dirty = s.late+1, true
		s.Unlock()
	}
}

// ends notes that its side says no more; what is held is still passed on.
func (s *side) ends() {
	s.closing = true
	s.Lock()
	defer s.Unlock()
	s.moved().ended, s.dirty = true, true
}

func (s *side) closes(stub *toxics.ToxicStub) {
	stub.Close()
	s.Lock()
	defer s.Unlock()
	s.moved().closed, s.dirty = true, true
}

func (s *side) moved() *moved {
	if s.upstream {
		return &s.up
	}
	return &s.down
}

// Cleanup passes on what is held when the toxic is taken away.
func (s *Witness) Cleanup(stub *toxics.ToxicStub) {
	state := stub.State.(*side)
	for _, each := range state.held {
		if stub.WriteOutput(each.chunk, time.Second) != nil {
			break
		}
	}
	state.held = nil
}
