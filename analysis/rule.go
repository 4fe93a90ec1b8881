package analysis

import (
	"fmt"
	"net/netip"
	"time"

	"expectscope/capture"
	"expectscope/reassembly"
)

// Severity is how much a finding matters. Error: a MUST broken or a
// desynchronised connection. Warning: a SHOULD broken, or much waste. Notice: legal but costly. Info: a fact.
type Severity uint8

// The severities, least first, so that they compare.
const (
	Info Severity = iota
	Notice
	Warning
	Error
)

// String is the word for it in the output contract.
func (s Severity) String() string { return [...]string{"info", "notice", "warning", "error"}[s] }

// Confidence is how sure a claim is: Certain when the capture proves it, Likely when another explanation is far-fetched,
// Inconclusive when evidence is missing.
type Confidence uint8

// The confidences, least first, so that they compare.
const (
	Inconclusive Confidence = iota
	Likely
	Certain
)

// String is the word for it in the output contract.
func (c Confidence) String() string {
	return [...]string{"inconclusive", "likely", "certain"}[c]
}

// Fault is who is to change something.
type Fault uint8

// The parties.
const (
	FaultUnknown Fault = iota
	FaultClient
	FaultServer
	FaultIntermediary
)

// String is the word for it in the output contract.
func (f Fault) String() string {
	return [...]string{"unknown", "client", "server", "intermediary"}[f]
}

// A Clause is a sentence of a standard that a rule stands on.
type Clause struct {
	RFC     int    // 9110
	Section string // "10.1.1"
	Level   string // "MUST", "SHOULD", "MAY", "MUST NOT"; "" when the clause only explains
}

// String is the word for it in the output contract.
func (c Clause) String() string {
	s := fmt.Sprintf("RFC %d §%s", c.RFC, c.Section)
	if c.Level != "" {
		s += " " + c.Level
	}
	return s
}

// Trait is a set of properties of an exchange, cheap to know, that decide which
// rules look at it; an exchange without traits is counted and judged by nobody.
type Trait uint16

// The traits. Refused: 417. Rejected: any final status of 300 or above. EarlyFinal: the final response began before
// the request body was complete. Stalled: still open at the end. Framing: odd framing of the request. Hop: its server is a proxy, and
// the exchange behind it is known or known to be missing.
const (
	TraitExpect Trait = 1 << iota
	TraitInterim
	TraitRefused
	TraitRejected
	TraitEarlyFinal
	TraitOwed
	TraitOrphan
	TraitStalled
	TraitFraming
	TraitRetry
	TraitUpgrade
	// TraitSubject is one of a case, not of an exchange: it stands for a subject that spans several exchanges (Peers).
	TraitSubject
	TraitHop
)

// FixKey names a remedy; analysis/rules knows its text for each software.
type FixKey string

// A Case is what a rule judges.
type Case struct {
	*Exchange
	// Chain holds the attempts this exchange is one of, oldest first; Chain[Index] is the exchange. Never empty.
	Chain []*Exchange
	Index int
	// Unseen is how many attempts of a long chain are left out behind its first.
	Unseen int
	// Near is the exchange Retry.Near names, nil if none.
	Near *Exchange
	// Legs holds the exchanges this one is linked with by redirects, challenges and repeats, oldest first; Legs[Leg] is the
	// exchange. Empty when it has no links. Each is linked with the one behind it by its last Link.
	Legs []*Exchange
	Leg  int
	// Peers is what is remembered of the client and the server, nil when that is nothing.
	Peers *Peers
	// Hop is the same exchange behind the server, which is a proxy; nil if none is known. Its link is c.HopTo([Behind]).
	Hop *Exchange
	// Front is the same exchange in front of the client, which is a proxy; nil if none is known.
	Front *Exchange
	// Forwards tells that the server is a proxy known to pass requests on in sight of the capture, and passed on none for this one.
	Forwards bool
	// WindowPassed tells that the capture goes on for the whole retry window
	// after the final response, so that an absent retry is proven absent.
	WindowPassed bool
	// Left tells that the client closed or reset the connection, or went on to another request, after the final response.
	Left bool
}

// Traits are those of the exchange, and whether it stands for a subject.
func (c *Case) Traits() Trait {
	t := c.Exchange.Traits()
	if p := c.Peers; p != nil && (p.Answers != nil || p.Hoard != nil || p.Leak != nil) {
		t |= TraitSubject
	}
	return t
}

// Next is the attempt that repeats this one, nil if none is known.
func (c *Case) Next() *Exchange {
	if c.Index+1 < len(c.Chain) {
		return c.Chain[c.Index+1]
	}
	return nil
}

// Prev is the refused attempt that this one repeats, nil if none.
func (c *Case) Prev() *Exchange {
	if c.Index > 0 {
		return c.Chain[c.Index-1]
	}
	return nil
}

// A Rule is one thing to look for: its text, its clauses, and the check.
type Rule struct {
	// ID is permanent, in words: "417-no-retry".
	ID, Title string
	// Explain says in a paragraph what it is and why it matters. Since is the first release that has it.
	Explain, Since string
	Severity       Severity
	Fault          []Fault
	Clauses        []Clause
	Fix            []FixKey
	// On: an exchange must have one of these traits to be looked at.
	On Trait
	// Reads: a doubt in one of these parts makes a finding inconclusive and its severity one lower.
	Reads Part
	// Under lists rules that, when they fire on the same exchange, are the cause of which this is a consequence, nearest first.
	Under []string
	// Check returns nil when there is nothing to say. It must not keep or change the case.
	Check func(*Case) *Verdict
}

// A Verdict is what a check says. What is zero (nil) is the rule's own.
type Verdict struct {
	// Summary is one sentence with the figures of this case, without a full stop at the end being left out.
	Summary string
	// Wasted and Saved count content bytes; Lost is time lost. 0: the rule does not count it.
	Wasted, Saved int64
	Lost          time.Duration
	Evidence      []reassembly.Mark
	Related       []string
	Severity      *Severity
	// Confidence is the most that may be claimed: nil means Certain.
	Confidence *Confidence
	Fault      []Fault
	Fix        []FixKey
}

// FindingState tells whether a finding may still change.
type FindingState uint8

// Final findings do not change. Provisional ones may be replaced by a later finding of the same rule and exchange;
// withdrawn ones were replaced by nothing.
const (
	Final FindingState = iota
	Provisional
	Withdrawn
)

// String is the word for it in the output contract.
func (s FindingState) String() string {
	return [...]string{"final", "provisional", "withdrawn"}[s]
}

// A Finding is a rule that holds on an exchange. (Rule, Exchange) names it.
type Finding struct {
	Rule, Exchange string
	// Title is the rule's.
	Title string
	// Cause is the rule, on the same exchange, that this is a consequence of; "" if none.
	Cause      string
	State      FindingState
	Severity   Severity
	Confidence Confidence
	Fault      []Fault
	Clauses    []Clause
	Summary    string

	Client, Server netip.AddrPort
	Method, Target string
	Status         int // 0: no final response
	// UserAgent and ServerSoftware are as sent, "" when not.
	UserAgent, ServerSoftware string

	Wasted, Saved int64
	Lost          time.Duration
	// Evidence lists packets, ascending, each once.
	Evidence []capture.Num
	Related  []string
	// Fix is what to change, for the software seen where it is known.
	Fix []string
	// Time is that of the earliest evidence, Last that of the latest, in nanoseconds since 1970.
	Time, Last int64
	// Unrecorded tells that the packets were not written to a file, so that Evidence numbers
	// frames that nobody can look up.
	Unrecorded bool
}
