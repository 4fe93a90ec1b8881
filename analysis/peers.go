package analysis

import "expectscope/reassembly"

// Peers is what is remembered of the client and the server of an exchange when it is judged (analysis/peers). The
// exchange stands for a subject that spans several exchanges where one of the pointers is set: it is said there, once.
type Peers struct {
	// Voices are the ways in which the server's address has answered this client so far, this exchange included.
	Voices []Voice
	// Answers, Hoard and Leak are the subjects the exchange stands for; nil where it stands for none.
	Answers *Answers
	Hoard   *Hoard
	Leak    *Leak
}

// A Voice is one way in which a server's address answers, as far as it tells who is speaking.
type Voice struct {
	// Software and Via are the fields Server and Via of the response, "" when it has none.
	Software, Via string
	TTL           uint8
	// Refuses: these are 417s.
	Refuses bool
	Count   int
}

// A Sample is an exchange that stands as an example for others.
type Sample struct {
	ID             string
	Request, Final reassembly.Mark
	// Refused: with 417. Else a 100 or a final response below 300 came.
	Refused bool
}

// The bounds of what is kept of a subject.
const (
	// MaxSamples bounds the exchanges that are named.
	MaxSamples = 20
	// HoardLimit is how many open expectations of one client are many, their bodies withheld for StallTime.
	HoardLimit = 50
	// LeakSamples is how many final responses of either kind a comparison of their fields needs.
	LeakSamples = 3
)

// Answers counts how comparable requests with Expect: 100-continue were answered: of one client (address and
// User-Agent), to one authority, with one method, to targets in one folder.
type Answers struct {
	Accepted, Refused int
	// Turns counts how often an answer was of the other kind than the one before it.
	Turns int
	// Twins tells that one target and length was answered both ways.
	Twins bool
	// The extremes of the declared lengths; -1 while there is none, or where one is unknown (chunked).
	SmallestAccepted, LargestAccepted int64
	SmallestRefused, LargestRefused   int64
	// Taken is the largest length the server took with or without Expect; -1 as above.
	Taken int64
	// Accepts and Refuses are the TTLs of either kind where it is one, 0 where it is none or several.
	Accepts, Refuses uint8
	// Samples are the first of either kind, in order.
	Samples []Sample
}

// BySize tells that only the larger ones are refused: a limit that looks like one. An
// answer each way may be chance, and a setting that was changed in between looks the same, so it takes two, and two turns.
func (a *Answers) BySize() bool {
	return a.Refused >= 2 && a.Accepted >= 2 && a.Turns >= 2 && a.SmallestAccepted >= 0 && a.SmallestRefused >= 0 &&
		max(a.LargestAccepted, a.Taken) < a.SmallestRefused
}

// Intermittent tells that requests are accepted and refused in turn, and not by their length.
func (a *Answers) Intermittent() bool {
	if a.Refused < 2 || a.Accepted < 1 || a.Turns < 2 {
		return false
	}
	return a.Twins || a.SmallestRefused <= a.LargestAccepted && a.SmallestAccepted <= a.LargestRefused
}

// A Hoard is many requests of one client address that announce a body with Expect and do not send it.
type Hoard struct {
	// Peak is the most that were open at a time; More: not all could be counted.
	Peak int
	More bool
	// Since is when the oldest of them was sent, Seen when the peak was seen; nanoseconds since 1970.
	Since, Seen int64
	// Invited counts those of the peak that had got a 100.
	Invited int
	// Shared tells that several clients seem to share the address.
	Shared  bool
	Samples []Sample
}

// A Leak compares the fields of final responses that came behind a 100 with those that came without one: of one
// authority, method, target and status.
type Leak struct {
	Behind, Plain int
	// Fields are names, in lower case and sorted, that all behind a 100 have and none of the others.
	Fields  []string
	Samples []Sample
}
