// Package rules is the table of checks: one file a rule, each with its text,
// its clauses, its remedies and its check, and testdata/ID.txtar as its
// example, its test and its documentation.
//
// [Judge] runs the rules whose traits an exchange has and turns verdicts into
// findings. What every rule would otherwise repeat is done there once: a doubt
// in a part the rule reads makes the finding inconclusive and one severity
// lower; a server's fault may be a proxy's where one is known; consequences name
// their cause; remedies become text for the software
// seen. The package keeps no state and does not decide when to judge.
package rules

import (
	"slices"
	"strings"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

var (
	table []*analysis.Rule // sorted by ID; written by rule during initialization only
	// on is Rule.On of each of them, side by side: most are passed over for it, and a rule is long.
	on []analysis.Trait
)

// rule puts r into the table. A file registers its rule with `var _ = rule(analysis.Rule{…})`.
func rule(r analysis.Rule) *analysis.Rule {
	at, taken := slices.BinarySearchFunc(table, r.ID, func(a *analysis.Rule, id string) int { return strings.Compare(a.ID, id) })
	if taken {
		panic("rules: two rules are called " + r.ID)
	}
	table, on = slices.Insert(table, at, &r), slices.Insert(on, at, r.On)
	return &r
}

// All is the table, sorted by ID. The caller must not change it.
func All() []*analysis.Rule { return table }

// ByID is the rule with that id, nil if there is none.
func ByID(id string) *analysis.Rule {
	for _, r := range table {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// Judge returns what the rules say of a case: causes before their
// consequences, else by falling severity, then by ID. The findings' State is [analysis.Final].
func Judge(c *analysis.Case) []analysis.Finding { return JudgeInto(nil, c) }

// JudgeInto is [Judge] that puts the findings into the room of found, which is lost, when it is enough.
func JudgeInto(found []analysis.Finding, c *analysis.Case) []analysis.Finding {
	clear(found)
	found = found[:0]
	traits := c.Traits()
	if traits == 0 {
		return found
	}
	for i, of := range on {
		if of&traits == 0 {
			continue
		}
		if v := table[i].Check(c); v != nil {
			found = append(found, finding(c, table[i], v))
		}
	}
	for i := range found {
		found[i].Cause = cause(found, ByID(found[i].Rule))
	}
	slices.SortStableFunc(found, func(a, b analysis.Finding) int {
		switch da, db := depth(found, a), depth(found, b); {
		case da != db:
			return da - db
		case a.Severity != b.Severity:
			return int(b.Severity) - int(a.Severity)
		}
		return strings.Compare(a.Rule, b.Rule)
	})
	return found
}

// depth is how many causes stand above a finding.
func depth(found []analysis.Finding, f analysis.Finding) int {
	n := 0
	for f.Cause != "" && n < len(found) {
		n++
		f = found[slices.IndexFunc(found, func(c analysis.Finding) bool { return c.Rule == f.Cause })]
	}
	return n
}

// cause is the first of the rule's causes that fired, "" if none did.
func cause(found []analysis.Finding, r *analysis.Rule) string {
	for _, id := range r.Under {
		if slices.ContainsFunc(found, func(f analysis.Finding) bool { return f.Rule == id }) {
			return id
		}
	}
	return ""
}

func finding(c *analysis.Case, r *analysis.Rule, v *analysis.Verdict) analysis.Finding {
	f := analysis.Finding{
		Rule: r.ID, Exchange: c.ID, Title: r.Title, Severity: r.Severity, Confidence: analysis.Certain,
		Fault: r.Fault, Clauses: r.Clauses, Summary: v.Summary,
		Client: c.Conn.Addr(c.Client), Server: c.Conn.Addr(c.ServerDir()),
		Method: c.Request.Method, Target: c.Request.Target,
		UserAgent: c.UserAgent(), ServerSoftware: c.Software(),
		Wasted: v.Wasted, Saved: v.Saved, Lost: v.Lost, Related: v.Related,
	}
	if c.Final != nil {
		f.Status = c.Final.Status
	}
	if v.Severity != nil {
		f.Severity = *v.Severity
	}
	if v.Confidence != nil {
		f.Confidence = *v.Confidence
	}
	if v.Fault != nil {
		f.Fault = v.Fault
	}
	if len(f.Fault) == 1 && f.Fault[0] == analysis.FaultServer && proxied(c) {
		f.Fault = serverOrProxy
	}
	// A verdict that is inconclusive by itself and names its severity means it; a doubt it cannot have known.
	lower := f.Confidence == analysis.Inconclusive && v.Severity == nil
	if len(c.Doubtful(r.Reads)) > 0 {
		f.Confidence, lower = analysis.Inconclusive, true
	}
	if lower && f.Severity > analysis.Info {
		f.Severity--
	}
	fix := r.Fix
	if v.Fix != nil {
		fix = v.Fix
	}
	f.Fix = remedies(fix, f.UserAgent, f.ServerSoftware)
	f.Evidence, f.Time, f.Last = evidence(v.Evidence, c.Request.Last)
	return f
}

var serverOrProxy = []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary}

// proxied tells whether a proxy or gateway is known to be on the way, so that what the
// server seems to do may be its doing.
func proxied(c *analysis.Case) bool {
	if c.Hop != nil {
		return true
	}
	for _, m := range [...]*analysis.Message{&c.Request, c.Final} {
		if m == nil {
			continue
		}
		for _, name := range [...]string{"Via", "Forwarded"} {
			if _, ok := m.Get(name); ok {
				return true
			}
		}
	}
	return strings.Contains(c.Request.Target, "://") && !strings.HasPrefix(c.Request.Target, "/")
}

// evidence lists the packets of the marks, ascending and each once, and the
// times of the earliest and the latest. Without a mark it is the request head.
func evidence(marks []reassembly.Mark, head reassembly.Mark) (nums []capture.Num, first, last int64) {
	for _, m := range marks {
		if m.Packet == 0 {
			continue
		}
		nums = append(nums, m.Packet)
		if first == 0 || m.Time < first {
			first = m.Time
		}
		last = max(last, m.Time)
	}
	if len(nums) == 0 {
		return []capture.Num{head.Packet}, head.Time, head.Time
	}
	slices.Sort(nums)
	return slices.Compact(nums), first, last
}
