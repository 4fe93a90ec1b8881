package rules

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// Rules that stand on no sentence of a standard: they count, or say what cannot be seen.
var withoutClause = []string{
	"417-retry-unknown", "417-retry-delayed", "417-retry-ok", "417-retry-failed", "waste-rejected", "waste-resent",
}

var (
	idForm      = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	sectionForm = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*$`)
	levels      = []string{"", "MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"}
)

// Every entry of the table is whole.
func TestTable(t *testing.T) {
	if !slices.IsSortedFunc(All(), func(a, b *analysis.Rule) int { return strings.Compare(a.ID, b.ID) }) {
		t.Error("the table is not sorted by ID")
	}
	for _, r := range All() {
		switch {
		case !idForm.MatchString(r.ID):
			t.Errorf("%s: an id is made of lower-case words and dashes", r.ID)
		case ByID(r.ID) != r:
			t.Errorf("%s: ByID finds another rule", r.ID)
		case r.Title == "" || strings.HasSuffix(r.Title, ".") || strings.ToUpper(r.Title[:1]) != r.Title[:1]:
			t.Errorf("%s: title %q", r.ID, r.Title)
		case len(r.Explain) < 200 || !strings.HasSuffix(r.Explain, "."):
			t.Errorf("%s: the explanation is no paragraph", r.ID)
		case r.Since != "0.1" || len(r.Fault) == 0 || r.On == 0 || r.Reads == 0 || r.Check == nil:
			t.Errorf("%s: since, fault, traits, parts or check is missing", r.ID)
		case (len(r.Clauses) == 0) != slices.Contains(withoutClause, r.ID):
			t.Errorf("%s has %d clauses, and withoutClause says otherwise", r.ID, len(r.Clauses))
		}
		for _, c := range r.Clauses {
			if c.RFC == 0 || !sectionForm.MatchString(c.Section) || !slices.Contains(levels, c.Level) {
				t.Errorf("%s: clause %+v", r.ID, c)
			}
		}
		for _, k := range r.Fix {
			if _, ok := fixes[k]; !ok {
				t.Errorf("%s: no remedy is called %q", r.ID, k)
			}
		}
		if _, err := os.Stat(strings.ReplaceAll(r.ID, "-", "_") + ".go"); err != nil {
			t.Errorf("%s: a rule has its own file: %v", r.ID, err)
		}
	}
	if ByID("no-such-rule") != nil {
		t.Error("ByID finds what is not there")
	}
}

// The titles are those of the catalog, where it is at hand.
func TestTitlesAreTheCatalogs(t *testing.T) {
	text, err := os.ReadFile("../../../shared/rules.md")
	if err != nil {
		t.Skip("the catalog is not beside the repository")
	}
	_, list, _ := strings.Cut(strings.Join(strings.Fields(string(text)), " "), "## 10. Titles ")
	titles := map[string]string{}
	for entry := range strings.SplitSeq(list, " · ") {
		id, title, _ := strings.Cut(strings.TrimSuffix(entry, "."), " ")
		titles[id] = title
	}
	for _, r := range All() {
		if want, ok := titles[r.ID]; ok && want != r.Title {
			t.Errorf("%s is called %q, in the catalog %q", r.ID, r.Title, want)
		}
	}
}

// Following causes always ends, and never leads to a lesser finding: a
// reader who sees only causes misses nothing that is worse.
func TestCauses(t *testing.T) {
	for _, r := range All() {
		for _, id := range r.Under {
			switch cause := ByID(id); {
			case cause == nil:
				t.Errorf("%s is under %s, which is no rule", r.ID, id)
			case cause.Severity < r.Severity:
				t.Errorf("%s (%s) would be hidden under %s (%s)", r.ID, r.Severity, id, cause.Severity)
			case reaches(cause, r.ID, 0):
				t.Errorf("%s is under %s and the other way round", r.ID, id)
			}
		}
	}
}

func reaches(from *analysis.Rule, id string, depth int) bool {
	if from == nil || depth > len(All()) || from.ID == id {
		return from != nil
	}
	return slices.ContainsFunc(from.Under, func(u string) bool { return reaches(ByID(u), id, depth+1) })
}

func TestRuleTwiceIsRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a second rule with the same id is taken")
		}
	}()
	rule(analysis.Rule{ID: "417-received"})
}

func TestCause(t *testing.T) {
	found := []analysis.Finding{{Rule: "b"}, {Rule: "c"}}
	for _, c := range []struct {
		under []string
		want  string
	}{{nil, ""}, {[]string{"a"}, ""}, {[]string{"a", "c", "b"}, "c"}} {
		if got := cause(found, &analysis.Rule{Under: c.under}); got != c.want {
			t.Errorf("under %v: cause %q, want %q", c.under, got, c.want)
		}
	}
}

func TestJudgeOrder(t *testing.T) {
	s := worked()
	fs := Judge(&s.Case)
	for i := 1; i < len(fs); i++ {
		a, b := &fs[i-1], &fs[i]
		switch {
		case a.Cause != "" && b.Cause == "":
			t.Errorf("%s, a consequence, comes before %s", a.Rule, b.Rule)
		case (a.Cause == "") == (b.Cause == "") && (a.Severity < b.Severity || a.Severity == b.Severity && a.Rule >= b.Rule):
			t.Errorf("%s %s comes before %s %s", a.Rule, a.Severity, b.Rule, b.Severity)
		}
	}
	if len(fs) < 5 {
		t.Errorf("the worked example has %d findings", len(fs))
	}
	quiet := asks("GET HTTP/1.1", 0).says(5, 200, headLen)
	if got := Judge(&quiet.Case); got != nil {
		t.Errorf("an ordinary exchange is judged: %v", got)
	}
}

// What Judge adds to every verdict.
func TestFinding(t *testing.T) {
	r := &analysis.Rule{
		ID: "r", Title: "T", Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultServer},
		Reads: analysis.PartFinal, Fix: []analysis.FixKey{"c-off"},
	}
	type change = func(*scene, *analysis.Verdict)
	same := func(*scene, *analysis.Verdict) {}
	for _, c := range []struct {
		name  string
		edit  change
		sev   analysis.Severity
		conf  analysis.Confidence
		fault int // how many parties
	}{
		{"nothing said", same, analysis.Warning, analysis.Certain, 1},
		{"likely", func(_ *scene, v *analysis.Verdict) { v.Confidence = new(analysis.Likely) }, analysis.Warning, analysis.Likely, 1},
		{"inconclusive", func(_ *scene, v *analysis.Verdict) { v.Confidence = new(analysis.Inconclusive) }, analysis.Notice, analysis.Inconclusive, 1},
		{"inconclusive, with a severity of its own", func(_ *scene, v *analysis.Verdict) {
			v.Confidence, v.Severity = new(analysis.Inconclusive), new(analysis.Error)
		}, analysis.Error, analysis.Inconclusive, 1},
		{"a severity of its own", func(_ *scene, v *analysis.Verdict) { v.Severity = new(analysis.Info) }, analysis.Info, analysis.Certain, 1},
		{"a doubt in a part it reads", func(s *scene, _ *analysis.Verdict) {
			s.lacks(analysis.DoubtGap, analysis.PartFinal|analysis.PartRequest)
		}, analysis.Notice, analysis.Inconclusive, 1},
		{"a doubt, and likely", func(s *scene, v *analysis.Verdict) {
			s.lacks(analysis.DoubtGap, analysis.PartFinal)
			v.Confidence = new(analysis.Likely)
		}, analysis.Notice, analysis.Inconclusive, 1},
		{"a doubt, and a severity of its own", func(s *scene, v *analysis.Verdict) {
			s.lacks(analysis.DoubtGap, analysis.PartFinal)
			v.Severity = new(analysis.Error)
		}, analysis.Warning, analysis.Inconclusive, 1},
		{"a doubt, and no severity left to lose", func(s *scene, v *analysis.Verdict) {
			s.lacks(analysis.DoubtGap, analysis.PartFinal)
			v.Severity = new(analysis.Info)
		}, analysis.Info, analysis.Inconclusive, 1},
		{"a doubt elsewhere", func(s *scene, _ *analysis.Verdict) { s.lacks(analysis.DoubtGap, analysis.PartReqBody) }, analysis.Warning, analysis.Certain, 1},
		{"Via", func(s *scene, _ *analysis.Verdict) { s.Request.Fields = analysis.ParseFields("x\r\nVia: 1.1 a\r\n") }, analysis.Warning, analysis.Certain, 2},
		{"Via in the answer", func(s *scene, _ *analysis.Verdict) { s.Final.Fields = analysis.ParseFields("x\r\nvia: 1.1 a\r\n") }, analysis.Warning, analysis.Certain, 2},
		{"Forwarded", func(s *scene, _ *analysis.Verdict) {
			s.Request.Fields = analysis.ParseFields("x\r\nForwarded: for=a\r\n")
		}, analysis.Warning, analysis.Certain, 2},
		{"a proxy's form of the target", func(s *scene, _ *analysis.Verdict) { s.Request.Target = "http://a/up" }, analysis.Warning, analysis.Certain, 2},
		{"a URL in the query is none", func(s *scene, _ *analysis.Verdict) { s.Request.Target = "/?u=http://a" }, analysis.Warning, analysis.Certain, 1},
		{"a verdict's own fault", func(s *scene, v *analysis.Verdict) {
			s.Request.Target = "http://a/up"
			v.Fault = []analysis.Fault{analysis.FaultClient}
		}, analysis.Warning, analysis.Certain, 1},
	} {
		s, v := denied(), &analysis.Verdict{Summary: "S."}
		c.edit(s, v)
		f := finding(&s.Case, r, v)
		if f.Severity != c.sev || f.Confidence != c.conf || len(f.Fault) != c.fault {
			t.Errorf("%s: %s %s, fault %v; want %s %s, %d parties", c.name, f.Severity, f.Confidence, f.Fault, c.sev, c.conf, c.fault)
		}
	}
	if r.Fault[0] != analysis.FaultServer || len(r.Fault) != 1 || r.Severity != analysis.Warning {
		t.Error("judging changed the rule")
	}
}

func TestFindingIsFilled(t *testing.T) {
	s := upload(5000, "User-Agent: curl/8.5.0").says(20, 417, headLen, "Server: nginx/1.22.1")
	v := &analysis.Verdict{
		Summary: "S.", Wasted: 1, Saved: 2, Lost: 3, Related: []string{"1/2"}, Fix: []analysis.FixKey{"s-close"},
		Evidence: []reassembly.Mark{s.Final.Last, {}, s.Request.Last, s.Final.Last},
	}
	f := finding(&s.Case, &analysis.Rule{ID: "r", Title: "T", Fix: []analysis.FixKey{"c-off"}}, v)
	switch {
	case f.Rule != "r" || f.Title != "T" || f.Exchange != "1/1" || f.Summary != "S." || f.State != analysis.Final:
		t.Errorf("names: %+v", f)
	case f.Client != s.Conn.Client || f.Server != s.Conn.Server || f.Method != "PUT" || f.Target != "/up" || f.Status != 417:
		t.Errorf("exchange: %+v", f)
	case f.UserAgent != "curl/8.5.0" || f.ServerSoftware != "nginx/1.22.1":
		t.Errorf("software: %q, %q", f.UserAgent, f.ServerSoftware)
	case f.Wasted != 1 || f.Saved != 2 || f.Lost != 3 || !slices.Equal(f.Related, []string{"1/2"}):
		t.Errorf("figures: %+v", f)
	case !slices.Equal(f.Fix, []string{"nginx: keepalive_timeout 0 in the location that refuses"}):
		t.Errorf("fix: %q", f.Fix)
	case len(f.Evidence) != 2 || f.Evidence[0] != s.Request.Last.Packet || f.Evidence[1] != s.Final.Last.Packet || f.Time != s.Request.Last.Time:
		t.Errorf("evidence: %v at %d", f.Evidence, f.Time)
	}
	s.Client, s.Final = reassembly.Reverse, nil
	f = finding(&s.Case, &analysis.Rule{ID: "r", Fix: []analysis.FixKey{"c-off"}}, &analysis.Verdict{})
	switch {
	case f.Client != s.Conn.Server || f.Server != s.Conn.Client || f.Status != 0:
		t.Errorf("a client that was taken for the server: %+v", f)
	case len(f.Evidence) != 1 || f.Evidence[0] != s.Request.Last.Packet || f.Time != s.Request.Last.Time:
		t.Errorf("without marks the evidence is the request head, not %v", f.Evidence)
	case !slices.Equal(f.Fix, []string{"curl: -H 'Expect:' (in libcurl \"Expect:\" in CURLOPT_HTTPHEADER)"}):
		t.Errorf("the rule's own fix: %q", f.Fix)
	}
}
