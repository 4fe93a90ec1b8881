// Package extract takes the packets of some exchanges out of a capture, so that
// they can be looked at alone, or given away.
//
// A capture is read three times. A [Choice] hears of all exchanges and findings
// and settles which exchanges are meant: those asked for, those on which a rule
// fired, and those they are linked with, such as the repeat of a refused one. A
// [Reading] hears them once more, keeps what findings say of which packet, and
// learns where the connections of these exchanges begin and end and, if the
// packets are to be redacted, what is in their streams. A [Copier] then writes
// the packets: all of these connections, with a comment on each that is evidence.
//
// What a redacted packet may say is stated positively (fields.go): the start
// line without the query, the names of fields, the few values that the analysis
// stands on, the sizes of chunks. Everything else is covered at its length, by
// its place in the stream, in every copy. What covers a value is the same
// wherever the value is the same, so that a repeat can still be recognised, and
// does not depend on what the value is.
//
// The package opens no file and has no clock.
package extract

import (
	"slices"
	"strconv"
	"strings"

	"expectscope/analysis"
	"expectscope/capture"
)

// maxNamed bounds how many ids are remembered for a suggestion.
const maxNamed = 8

// A Choice settles which exchanges are meant. It is a sink of analysis/engine:
// it is told of each exchange and, behind it, its findings.
type Choice struct {
	asked map[string]bool // by id; true once it was seen
	fires func(rule string) bool
	meant map[string]bool
	links map[string][]string
	near  []string // ids like those asked for
	found []string // ids with findings
}

// NewChoice means the exchanges with these ids, and those on which a rule fires
// that fires says yes to; nil is no rule. [Choice.Needs] tells what the engine
// is to report.
func NewChoice(ids []string, fires func(rule string) bool) *Choice {
	c := &Choice{asked: map[string]bool{}, fires: fires, meant: map[string]bool{}, links: map[string][]string{}}
	for _, id := range ids {
		c.asked[id] = false
	}
	return c
}

// NeedsAll tells whether exchanges of no interest can be meant, so that they
// have to be reported too.
func (c *Choice) NeedsAll() bool { return len(c.asked) > 0 }

// Exchange hears of an exchange.
func (c *Choice) Exchange(x *analysis.Exchange) {
	if _, ok := c.asked[x.ID]; ok {
		c.asked[x.ID] = true
		c.meant[x.ID] = true
	} else if len(c.near) < maxNamed && c.alike(x.ID) {
		c.near = append(c.near, x.ID)
	}
	hop, _ := x.HopTo(analysis.Behind)
	front, _ := x.HopTo(analysis.InFront)
	for _, id := range [...]string{x.RetryOf, x.Retry().By, hop.To, front.To} {
		if id != "" && !slices.Contains(c.links[x.ID], id) {
			c.links[x.ID] = append(c.links[x.ID], id)
		}
	}
	for _, l := range x.Sequel().Links {
		if !slices.Contains(c.links[x.ID], l.To) {
			c.links[x.ID] = append(c.links[x.ID], l.To)
		}
	}
}

// alike tells whether an id differs from one that was asked for only in what is
// left out or easily wrong: the input, the request's ordinal.
func (c *Choice) alike(id string) bool {
	input, packet, _ := splitID(id)
	for asked, seen := range c.asked {
		if seen {
			continue
		}
		if in, p, _ := splitID(asked); p == packet && (in == input || in == "" || input == "") {
			return true
		}
	}
	return false
}

// Finding hears of a finding. What it speaks of besides its exchange is meant
// with it: its evidence may lie there.
func (c *Choice) Finding(f *analysis.Finding) {
	if len(c.found) < maxNamed && !slices.Contains(c.found, f.Exchange) {
		c.found = append(c.found, f.Exchange)
	}
	rule := c.fires != nil && c.fires(f.Rule)
	if _, asked := c.asked[f.Exchange]; !asked && !rule {
		return
	}
	if rule {
		c.meant[f.Exchange] = true
	}
	for _, id := range f.Related {
		c.meant[id] = true
	}
}

// Missing are the ids asked for that no exchange has, and others that may have
// been meant instead of them: sorted, and few.
func (c *Choice) Missing() (ids, instead []string) {
	for id, seen := range c.asked {
		if !seen {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	if instead = c.near; len(instead) == 0 {
		instead = c.found
	}
	return ids, instead
}

// Exchanges are the ids of all that is meant, with what it is linked with over
// any number of repeats.
func (c *Choice) Exchanges() map[string]bool {
	all := make(map[string]bool, len(c.meant))
	var mean func(id string)
	mean = func(id string) {
		if all[id] {
			return
		}
		all[id] = true
		for _, other := range c.links[id] {
			mean(other)
		}
	}
	for id := range c.meant {
		mean(id)
	}
	return all
}

// IsID tells whether a word has the form of an exchange's id.
func IsID(word string) bool {
	_, _, ok := splitID(word)
	return ok
}

// splitID takes an id apart: "2:17/1" is request 1 of the connection that begins
// with packet 17 of input 2.
func splitID(id string) (input, packet string, ok bool) {
	rest := id
	if before, after, found := strings.Cut(id, ":"); found {
		input, rest = before, after
		if !number(input) {
			return "", "", false
		}
	}
	packet, ordinal, found := strings.Cut(rest, "/")
	return input, packet, found && number(packet) && number(ordinal)
}

func number(s string) bool {
	_, err := strconv.ParseUint(s, 10, 48)
	return err == nil && s[0] != '+'
}

// first is the first packet of the connection of an exchange.
func first(id string) capture.Num {
	input, packet, _ := splitID(id)
	n := 1
	if input != "" {
		n, _ = strconv.Atoi(input) // splitID looked at it
	}
	frame, _ := strconv.ParseUint(packet, 10, 48)
	return capture.MakeNum(n, frame)
}
