package main

import (
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"expectscope/analysis"
	"expectscope/analysis/report"
	"expectscope/analysis/rules"
)

// severities from least to worst.
var severities = [...]analysis.Severity{analysis.Info, analysis.Notice, analysis.Warning, analysis.Error}

// A selection chooses exchanges and findings to show. What one flag lists are
// alternatives; flags narrow one another. The zero value shows all.
type selection struct {
	rules            []string // globs
	severity         analysis.Severity
	clients, servers []party
	targets          []string
	statuses         []statusRange
	given            []string // the flags as they were given
}

// flags adds the flags of the selection to a command.
func (s *selection) flags(cmd *cobra.Command) {
	add := func(name, usage string, parse func(string) error) {
		cmd.Flags().Func(name, usage, func(v string) error {
			s.given = append(s.given, "--"+name+" "+v)
			return parse(v)
		})
	}
	add("rule", "show findings of these `RULES`: ids or globs, as 417-*", adds(&s.rules, parseRule))
	add("severity", "show findings of this `SEVERITY` or worse", func(v string) (err error) {
		s.severity, err = parseSeverity(v)
		return err
	})
	add("client", "show these clients: `ADDRESS`[:PORT] or CIDR", adds(&s.clients, parseParty))
	add("server", "show these servers: `ADDRESS`[:PORT], CIDR or :PORT", adds(&s.servers, parseParty))
	add("target", "show targets with this `TEXT` in them; * is any text", func(v string) error {
		s.targets = append(s.targets, v)
		return nil
	})
	add("status", "show these final `STATUSES`: 417, 4xx or none", adds(&s.statuses, parseStatus))
}

// note says above a text report that it is not of all findings; the empty
// string if it is.
func (s *selection) note(shown, all uint64, width int) string {
	if len(s.given) == 0 {
		return ""
	}
	var b strings.Builder
	para(&b, "", fmt.Sprintf("Shown: %d of %s, as %s chooses. The sentence below is about these alone, the figures are of the whole capture.",
		shown, plural(all, "finding"), report.Safe(strings.Join(s.given, " "))), width)
	b.WriteString("\n")
	return b.String()
}

// adds parses a comma list and appends to what earlier flags of the name gave.
func adds[T any](to *[]T, parse func(string) (T, error)) func(string) error {
	return func(v string) error {
		for word := range strings.SplitSeq(v, ",") {
			t, err := parse(strings.TrimSpace(word))
			if err != nil {
				return err
			}
			*to = append(*to, t)
		}
		return nil
	}
}

// exchange tells whether the exchange is to be shown. Rules and severities are
// properties of findings and choose no exchanges.
func (s *selection) exchange(x *analysis.Exchange) bool {
	status := 0
	if x.Final != nil {
		status = x.Final.Status
	}
	return s.about(x.Conn.Addr(x.Client), x.Conn.Addr(x.ServerDir()), x.Request.Target, status)
}

// finding tells whether the finding is to be shown.
func (s *selection) finding(f *analysis.Finding) bool {
	return f.Severity >= s.severity && (len(s.rules) == 0 || matchesRule(s.rules, f.Rule)) &&
		s.about(f.Client, f.Server, f.Target, f.Status)
}

// about tells whether an exchange with these properties is chosen.
func (s *selection) about(client, server netip.AddrPort, target string, status int) bool {
	return allows(s.clients, func(p party) bool { return p.holds(client) }) &&
		allows(s.servers, func(p party) bool { return p.holds(server) }) &&
		allows(s.targets, func(text string) bool { return matchesTarget(text, target) }) &&
		allows(s.statuses, func(r statusRange) bool { return r.first <= status && status <= r.last })
}

// allows tells whether one of the alternatives holds; no alternatives are no condition.
func allows[T any](of []T, holds func(T) bool) bool {
	return len(of) == 0 || slices.ContainsFunc(of, holds)
}

// A party is one address or many, and a port; port 0 is any port.
type party struct {
	prefix netip.Prefix
	port   uint16
	any    bool // any address
}

func (p party) holds(a netip.AddrPort) bool {
	return (p.port == 0 || p.port == a.Port()) && (p.any || p.prefix.Contains(a.Addr().Unmap()))
}

// parseParty reads 10.0.0.1, 10.0.0.0/8, 10.0.0.1:80, ::1, [::1]:80 and :80.
func parseParty(v string) (party, error) {
	if port, ok := strings.CutPrefix(v, ":"); ok && !strings.Contains(port, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err == nil && n > 0 {
			return party{port: uint16(n), any: true}, nil
		}
	}
	if p, err := netip.ParsePrefix(v); err == nil {
		return party{prefix: p.Masked()}, nil
	}
	if a, err := netip.ParseAddr(strings.Trim(v, "[]")); err == nil {
		a = a.Unmap().WithZone("")
		return party{prefix: netip.PrefixFrom(a, a.BitLen())}, nil
	}
	if a, err := netip.ParseAddrPort(v); err == nil {
		ip := a.Addr().Unmap().WithZone("")
		return party{prefix: netip.PrefixFrom(ip, ip.BitLen()), port: a.Port()}, nil
	}
	return party{}, usage("give 10.0.0.1, 10.0.0.0/8, 10.0.0.1:80, 2001:db8::1, [2001:db8::1]:80 or :80; names are not looked up",
		"%q is no address", v)
}

// matchesTarget tells whether the target holds the text, or, if there is a *
// in it, is of that form from end to end.
func matchesTarget(text, target string) bool {
	parts := strings.Split(text, "*")
	if len(parts) == 1 {
		return strings.Contains(target, text)
	}
	rest, ok := strings.CutPrefix(target, parts[0])
	if !ok {
		return false
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		if _, rest, ok = strings.Cut(rest, part); !ok {
			return false
		}
	}
	return strings.HasSuffix(rest, parts[last])
}

// A statusRange holds final statuses; 0 stands for no final response.
type statusRange struct{ first, last int }

// parseStatus reads 417, 4xx and none.
func parseStatus(v string) (statusRange, error) {
	if v == "none" {
		return statusRange{}, nil
	}
	if class, ok := strings.CutSuffix(strings.ToLower(v), "xx"); ok {
		if n, err := strconv.Atoi(class); err == nil && 1 <= n && n <= 9 {
			return statusRange{n * 100, n*100 + 99}, nil
		}
	}
	if n, err := strconv.Atoi(v); err == nil && 100 <= n && n <= 999 {
		return statusRange{n, n}, nil
	}
	return statusRange{}, usage("give a status (417), a class (4xx) or none, separated by commas", "%q is no final status", v)
}

// parseSeverity reads a severity's name.
func parseSeverity(v string) (analysis.Severity, error) {
	for _, s := range severities {
		if s.String() == v {
			return s, nil
		}
	}
	return 0, usage("the severities are info, notice, warning and error", "%q is no severity%s", v, meant(v, severityNames()))
}

// severityNames are the names from least to worst.
func severityNames() []string {
	var names []string
	for _, s := range severities {
		names = append(names, s.String())
	}
	return names
}

// parseRule checks that a rule's id, or a glob, names a rule.
func parseRule(v string) (string, error) {
	if matchesAnyRule(v) {
		return v, nil
	}
	return "", unknownRule(v)
}

func matchesAnyRule(glob string) bool {
	return slices.ContainsFunc(rules.All(), func(r *analysis.Rule) bool { return matchesRule([]string{glob}, r.ID) })
}

// matchesRule tells whether one of the globs matches the id.
func matchesRule(globs []string, id string) bool {
	return slices.ContainsFunc(globs, func(g string) bool {
		ok, _ := path.Match(g, id) // a malformed pattern matches nothing, and parseRule refuses it
		return ok
	})
}

func unknownRule(v string) *failure {
	return usage("expectscope rules lists the rules", "%q is no rule%s", v, meant(v, ruleIDs()))
}

func ruleIDs() []string {
	var ids []string
	for _, r := range rules.All() {
		ids = append(ids, r.ID)
	}
	return ids
}

// meant is the end of a message: what one probably meant.
func meant(typed string, words []string) string {
	if near := nearest(typed, words); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// A threshold is what --fail-on lists: a severity and all above, and rules.
type threshold struct {
	set      bool // severity counts
	severity analysis.Severity
	rules    []string // globs
}

// add reads a severity or a rule.
func (t *threshold) add(v string) error {
	for word := range strings.SplitSeq(v, ",") {
		word = strings.TrimSpace(word)
		s, err := parseSeverity(word)
		switch {
		case err == nil && !t.set:
			t.severity, t.set = s, true
		case err == nil:
			t.severity = min(t.severity, s)
		case matchesAnyRule(word):
			t.rules = append(t.rules, word)
		default:
			return usage("give info, notice, warning, error, or a rule that expectscope rules lists",
				"%q is no severity and no rule%s", word, meant(word, append(severityNames(), ruleIDs()...)))
		}
	}
	return nil
}

// reached tells whether the finding is proof enough, and grave enough, to fail for.
func (t *threshold) reached(f *analysis.Finding) bool {
	return f.State == analysis.Final && f.Confidence > analysis.Inconclusive &&
		(t.set && f.Severity >= t.severity || matchesRule(t.rules, f.Rule))
}
