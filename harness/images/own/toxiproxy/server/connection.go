package main

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// connection is what the witnesses of both its directions know of one connection.
type connection struct {
	sync.Mutex
	number    int64
	client    string
	shake     *handshake
	up, down  moved
	waiting   bool  // its client has said something since the last answer
	answers   int64 // answers that have begun
	late      int64 // answers that a fault has held up
	lost      int64 // answers that a fault has cut off
	downSince int64 // bytes and answers from the server before the fault came
	ansSince  int64
	dirty     bool
}

// moved is how far one direction of a connection has come.
type moved struct {
	bytes  int64
	at     time.Time
	ended  bool // its side says no more
	closed bool // and all that it said was passed on
}

func (m moved) age(now time.Time) int64 {
	if m.bytes == 0 {
		return 0
	}
	return now.Sub(m.at).Milliseconds()
}

var (
	all struct {
		sync.Mutex
		open    map[*connection]struct{}
		made    int64
		client  string      // accepted last, and without toxics yet
		pending *connection // its upstream witness is made, and the other one not yet
	}
	accepted = []byte(`"message":"Accepted client"`)
)

// Bytes that move are told at most so often, so that telling costs a busy connection next to nothing.
const tellEvery = 50 * time.Millisecond

func init() {
	all.open = map[*connection]struct{}{}
}

// acceptedIn passes a log on, and notes which client's connection it tells of.
type acceptedIn struct{ log io.Writer }

func (a acceptedIn) Write(line []byte) (int, error) {
	written, err := a.log.Write(line)
	if bytes.Contains(line, accepted) {
		var said struct {
			Client string `json:"client"`
		}
		if json.Unmarshal(line, &said) == nil {
			all.Lock()
			all.client, all.pending = said.Client, nil
			all.Unlock()
		}
	}
	return written, err
}

// connectionFor gives a witness the connection that it is made for; an unknown one has no client, and is not told of.
func connectionFor(upstream bool) *connection {
	all.Lock()
	defer all.Unlock()
	if !upstream {
		if known := all.pending; known != nil {
			all.pending = nil
			return known
		}
		return &connection{}
	}
	if all.client == "" {
		return &connection{}
	}
	all.made++
	made := &connection{number: all.made, client: all.client}
	all.client, all.pending = "", made
	all.open[made] = struct{}{}
	return made
}

// tell writes into the log how the connections' bytes have moved, for as long as the process lives.
func tell(logger zerolog.Logger) {
	for now := range time.Tick(tellEvery) {
		all.Lock()
		open := make([]*connection, 0, len(all.open))
		for each := range all.open {
			open = append(open, each)
		}
		all.Unlock()
		for _, each := range open {
			each.tell(logger, now)
		}
	}
}

func (c *connection) tell(logger zerolog.Logger, now time.Time) {
	c.Lock()
	defer c.Unlock()
	if !c.dirty {
		return
	}
	c.dirty = false
	ended := c.up.closed && c.down.closed
	logger.Trace().
		Int64("connection", c.number).
		Str("client", c.client).
		Int64("up_bytes", c.up.bytes).
		Int64("up_age_ms", c.up.age(now)).
		Int64("down_bytes", c.down.bytes).
		Int64("down_age_ms", c.down.age(now)).
		Bool("waiting", c.waiting).
		Int64("late", c.late).
		Int64("lost", c.lost).
		Bool("ended", ended).
		Msg("Bytes moved")
	if ended {
		all.Lock()
		delete(all.open, c)
		all.Unlock()
	}
}
