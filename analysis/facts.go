package analysis

import (
	"strings"

	"expectscope/reassembly"
)

// The constants of the rules, in one table. Durations are nanoseconds of capture time, sizes content bytes.
const (
	ms = int64(1e6)

	// RetryWindow is how long a client has to repeat a refused request before its
	// absence counts (a flag can change it); LinkHorizon how long a repeat is still recognised.
	RetryWindow = 10_000 * ms
	LinkHorizon = 60_000 * ms
	// RetryDelayed is from when on a repeat counts as slow.
	RetryDelayed = 1_000 * ms
	// NoWait is below what a client did not wait for an answer at all.
	NoWait = 50 * ms
	// LateContinue is how long a server may think before its 100 is late, or three round trips where that is more.
	LateContinue = 200 * ms
	// StallTime is how long silence lasts before an open exchange counts as hanging.
	StallTime = 5_000 * ms
	// CloseWait is how long after a final response the connection's end still belongs to it.
	CloseWait = 2_000 * ms

	// WasteNotice and WasteWarning are from when on wasted bytes are a notice, a warning.
	WasteNotice  = 16 << 10
	WasteWarning = 1 << 20
	// TailNotice is how much a client may send after it has the refusal.
	TailNotice = 64 << 10
	// FloodInterims and FloodBytes bound interim responses to one request.
	FloodInterims = 8
	FloodBytes    = 64 << 10
	// ClockSlack is how far the clocks of two captures of one time may be apart.
	ClockSlack = 2_000 * ms
	// DefaultMSS is assumed where no SYN was seen.
	DefaultMSS = 1460
)

// ExpectClass sorts the values an Expect field can have (RFC 9110, Section 10.1.1).
type ExpectClass uint8

// Exact: one line, 100-continue but for case and surrounding white space. List: one member of the list is.
// Obfuscated: the text is in there, disguised. Empty: a field without a value. UnknownExpect: anything else.
const (
	NoExpect ExpectClass = iota
	ExactExpect
	ListExpect
	ObfuscatedExpect
	EmptyExpect
	UnknownExpect
)

// String is the word for it in the output contract.
func (c ExpectClass) String() string {
	return [...]string{"", "exact", "list", "obfuscated", "empty", "unknown"}[c]
}

// Expects tells whether the class asks for a 100 by RFC 9110's grammar.
func (c ExpectClass) Expects() bool { return c == ExactExpect || c == ListExpect }

// Expect is the request's Expect field, several lines joined by ", ", and whether there is one.
func (m *Message) Expect() (string, bool) {
	vs := m.Values("Expect")
	return strings.Join(vs, ", "), len(vs) > 0
}

// ExpectClass classifies the request's Expect field.
func (m *Message) ExpectClass() ExpectClass {
	first, n, spaced := "", 0, false
	for f := range m.Lines() {
		if len(f.Name) == len("Expect") && strings.EqualFold(f.Name, "Expect") {
			if n++; n == 1 {
				first = f.Value
			}
			spaced = spaced || f.Spaced
		}
	}
	switch {
	case n == 0:
		return NoExpect
	case n == 1 && !spaced && strings.EqualFold(first, "100-continue"):
		return ExactExpect // nearly always
	}
	return ClassifyExpect(m.Values("Expect"), spaced)
}

// ClassifyExpect classifies the values of the Expect lines of a request; spaced tells that
// white space stood before a colon. No lines at all are [NoExpect].
func ClassifyExpect(lines []string, spaced bool) ExpectClass {
	if len(lines) == 0 {
		return NoExpect
	}
	all := strings.Join(lines, ", ")
	switch {
	case len(lines) == 1 && !spaced && strings.EqualFold(all, "100-continue"):
		return ExactExpect
	case strings.Trim(all, " \t\r\n,") == "":
		return EmptyExpect
	case !spaced && !strings.ContainsAny(all, "\r\n"):
		for m := range strings.SplitSeq(all, ",") {
			if strings.EqualFold(strings.Trim(m, " \t"), "100-continue") {
				return ListExpect
			}
		}
	}
	plain := strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f || r == '"' || r == '\'' || r == '\\' {
			return -1
		}
		return r
	}, strings.ToLower(all))
	if strings.Contains(plain, "100-continue") {
		return ObfuscatedExpect
	}
	return UnknownExpect
}

// ClientAddr and the like: see Conn.Addr. ServerDir is the direction responses travel in.
func (x *Exchange) ServerDir() reassembly.Dir { return x.Client.Other() }

// Expects tells whether the client announced 100-continue by RFC 9110's grammar.
func (x *Exchange) Expects() bool { return x.Request.ExpectClass().Expects() }

// HTTP10 tells whether the request is HTTP/1.0 (or older).
func (x *Exchange) HTTP10() bool {
	return x.Request.Version == "HTTP/1.0" || x.Request.Version == "HTTP/0.9"
}

// N is the content length the request declared, -1 when unknown (chunked), 0 without a body.
func (x *Exchange) N() int64 {
	if x.ReqBody.Framing == FramingNone {
		return 0
	}
	return x.ReqBody.Declared
}

// Continue is the first 100 response, nil when there was none.
func (x *Exchange) Continue() *Message {
	for i := range x.Interim {
		if x.Interim[i].Status == 100 {
			return &x.Interim[i]
		}
	}
	return nil
}

// Wait is the time in nanoseconds from the request head to the first body byte, and whether a body byte was sent.
func (x *Exchange) Wait() (int64, bool) {
	if x.ReqBody.Sent == 0 || x.ReqBody.First.Packet == 0 {
		return 0, false
	}
	return x.ReqBody.First.Time - x.Request.Last.Time, true
}

// Knew tells whether the host that sent the bytes marked b had received the message head m by
// then: their segment acknowledged its last byte. Sure is false when there is no acknowledgement to
// go by and the order of capture was used.
func Knew(b reassembly.Mark, m *Message) (knew, sure bool) {
	if m == nil {
		return false, true
	}
	if b.Acked == reassembly.NoAck {
		return b.Time >= m.Last.Time, false
	}
	return b.Acked >= m.Last.Off, true
}

// HadBody tells whether the server's host had received any byte of the request body when it sent m.
func (x *Exchange) HadBody(m *Message) (had, sure bool) {
	if m == nil || x.ReqBody.Sent == 0 {
		return false, true
	}
	if m.First.Acked == reassembly.NoAck {
		return x.ReqBody.First.Time < m.First.Time, false
	}
	if x.StreamID != 0 { // what follows the head may belong to other streams
		return m.First.Acked >= x.ReqBody.First.Off, true
	}
	return m.First.Acked > x.Request.Last.Off, true
}

// Rejected tells whether the final response has a status of 300 or above.
func (x *Exchange) Rejected() bool { return x.Final != nil && x.Final.Status >= 300 }

// EarlyFinal tells whether the final response began before the server's host had the whole request body.
func (x *Exchange) EarlyFinal() bool {
	if x.Final == nil || x.ReqBody.Framing == FramingNone || x.ReqBody.Framing == FramingUnknown {
		return false
	}
	if !x.ReqBody.Complete || x.ReqBody.Tail > 0 || x.ReqBody.Crossing > 0 {
		return true
	}
	return x.Final.First.Acked == reassembly.NoAck && x.Final.First.Time < x.ReqBody.Last.Time
}

// FromHead tells whether the refusal could be decided by the request head: by its status, or because it came early.
func (x *Exchange) FromHead() bool {
	return x.Rejected() && (HeadStatus(x.Final.Status) || x.EarlyFinal())
}

// HeadStatus tells whether a status can be decided from a request head alone.
func HeadStatus(status int) bool {
	switch status {
	case 401, 403, 404, 405, 406, 407, 410, 411, 412, 413, 414, 415, 417, 421, 426, 428, 429, 431, 451, 501, 503, 505, 511:
		return true
	}
	return status >= 300 && status < 400
}

// Unsent is the part of the declared body that was not sent, and whether that is known.
func (x *Exchange) Unsent() (int64, bool) {
	n := x.N()
	if n < 0 {
		return 0, false
	}
	return max(0, n-x.ReqBody.Sent), true
}

// Wasted is the number of content bytes sent and then refused: all that was sent if the final response is 300 or above, else 0.
// It is unknown without a final response.
func (x *Exchange) Wasted() (int64, bool) {
	switch {
	case x.Final == nil:
		return 0, false
	case x.Rejected():
		return x.ReqBody.Sent, true
	}
	return 0, true
}

// Saved is the number of content bytes that Expect kept from being sent in vain: refused, none
// sent, length known, and not 417, whose repeat sends them anyway. 0 otherwise.
func (x *Exchange) Saved() int64 {
	if !x.Expects() || !x.Rejected() || x.Final.Status == 417 || x.ReqBody.Sent > 0 || x.ReqBody.Complete {
		return 0
	}
	return max(0, x.N())
}

// Waiting says who an open exchange waits for: "client" owes the rest of its body, "server" an answer; "" when it is not open.
func (x *Exchange) Waiting() string {
	switch {
	case x.Ended != EndedCapture && x.State != Open || x.Final != nil:
		return ""
	case x.ReqBody.Complete || x.ReqBody.Framing == FramingNone:
		return "server"
	case x.Expects() && x.Continue() == nil && x.ReqBody.Sent == 0:
		return "server"
	}
	return "client"
}

// Authority is the request's host and port as sent, from an absolute target or else the Host field, in HTTP/2 from
// :authority or else Host (RFC 9113, Section 8.3.1); "" when there is none.
func (x *Exchange) Authority() string {
	if _, rest, ok := strings.Cut(x.Request.Target, "://"); ok && !strings.HasPrefix(x.Request.Target, "/") {
		return rest[:strings.IndexAny(rest+"/", "/?#")]
	}
	if x.Request.Method == "CONNECT" {
		return x.Request.Target
	}
	if x.HTTP2() {
		if a, ok := x.Request.Get(":authority"); ok {
			return a
		}
	}
	h, _ := x.Request.Get("Host")
	return h
}

// UserAgent and Software are what the two sides call themselves, "" when they do not.
func (x *Exchange) UserAgent() string { v, _ := x.Request.Get("User-Agent"); return v }

// Software is the Server field of the final response, or of an interim one.
func (x *Exchange) Software() string {
	if x.Final != nil {
		if v, ok := x.Final.Get("Server"); ok {
			return v
		}
	}
	for i := range x.Interim {
		if v, ok := x.Interim[i].Get("Server"); ok {
			return v
		}
	}
	return ""
}

// Traits are the properties that decide which rules look at the exchange.
func (x *Exchange) Traits() Trait {
	var t Trait
	if _, ok := x.Request.Get("Expect"); ok {
		t |= TraitExpect
	}
	if len(x.Interim) > 0 {
		t |= TraitInterim
	}
	if x.Final != nil {
		switch {
		case x.Final.Status == 417:
			t |= TraitRefused | TraitRejected
		case x.Final.Status >= 300:
			t |= TraitRejected
		case x.Final.Status == 101:
			t |= TraitUpgrade
		}
		if x.EarlyFinal() {
			t |= TraitEarlyFinal
		}
	}
	if x.Request.TwoLengths() || x.Request.UnsureLength() {
		t |= TraitFraming
	}
	if x.Owed != nil {
		t |= TraitOwed
	}
	if x.ShortStream() {
		t |= TraitFraming
	}
	if len(x.Sequel().Orphans) > 0 {
		t |= TraitOrphan
	}
	if x.Waiting() != "" {
		t |= TraitStalled
	}
	if x.Retry().Outcome != RetryNotAsked || x.RetryOf != "" {
		t |= TraitRetry
	}
	if _, ok := x.HopTo(Behind); ok {
		t |= TraitHop
	}
	return t
}

// Charged tells whether the exchange's wasted bytes count in totals: a redirect
// that answers a whole body without Expect is the ordinary way of a form, no waste.
func (x *Exchange) Charged() bool {
	if x.Final == nil {
		return false
	}
	return x.Final.Status >= 400 || x.EarlyFinal() || x.RetryOf != "" || x.Request.ExpectClass() != NoExpect
}

// WaitedForContinue is the time in nanoseconds the client spent waiting for an answer to its
// Expect: from its head to its first body byte, or to the first answer if none was sent.
// 0 when it did not ask for 100-continue.
func (x *Exchange) WaitedForContinue() int64 {
	if !x.Expects() {
		return 0
	}
	if ns, ok := x.Wait(); ok {
		return max(0, ns)
	}
	switch {
	case len(x.Interim) > 0:
		return max(0, x.Interim[0].First.Time-x.Request.Last.Time)
	case x.Final != nil:
		return max(0, x.Final.First.Time-x.Request.Last.Time)
	}
	return 0
}
