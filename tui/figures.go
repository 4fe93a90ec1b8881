package tui

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"expectscope/analysis"
	"expectscope/analysis/query"
	"expectscope/analysis/report"
	"expectscope/analysis/store"
)

// figures are what the overview shows, counted once for a snapshot.
type figures struct {
	version  uint64
	done     bool
	verdict  string
	summary  analysis.Summary
	rules    []bar
	servers  []bar
	waits    [len(waitBins)]int
	waited   int
	balances []report.Balance
	health   []string
}

// A bar is a name and how much of it there is.
type bar struct {
	name     string
	n        int64
	severity analysis.Severity
}

// A waitBin is a range of waits for a 100, up to a time in nanoseconds, and the clients that are known to give up in it.
type waitBin struct {
	upTo  int64
	label string
	known string
}

const ms = int64(1e6)

// waitBins are narrow around the time-outs that clients are known to have.
var waitBins = [...]waitBin{
	{1 * ms, "  < 1 ms", ""},
	{10 * ms, "   10 ms", ""},
	{50 * ms, "   50 ms", ""},
	{300 * ms, "  300 ms", ""},
	{450 * ms, "  0.35 s", "HttpWebRequest of .NET Framework"},
	{900 * ms, "   0.9 s", ""},
	{1200 * ms, "     1 s", "curl, Go, botocore, SocketsHttpHandler"},
	{2700 * ms, "   2.7 s", "an old Apache HttpClient waits 2 s"},
	{3300 * ms, "     3 s", "Apache HttpClient"},
	{4600 * ms, "   4.6 s", ""},
	{5500 * ms, "     5 s", "Java HttpClient"},
	{1 << 62, " longer", "no time-out seen"},
}

// count counts a snapshot. It takes time in proportion to the records.
func count(n store.Snapshot, inputs func(int) string) *figures {
	g := &figures{version: n.Version, done: n.Progress.Done}
	tally := report.NewTally()
	byRule, byServer := map[string]bar{}, map[netip.AddrPort]int64{}
	type pair struct {
		client netip.Addr
		server netip.AddrPort
	}
	balances := map[pair]*report.Balance{}
	for i := range n.Exchanges.Len() {
		x := n.Exchanges.At(i)
		tally.Add(&x.Exchange, foundOn(x))
		client, server := x.Conn.Addr(x.Client).Addr(), x.Conn.Addr(x.ServerDir())
		for _, f := range x.Findings {
			b := byRule[f.Rule]
			byRule[f.Rule] = bar{f.Rule, b.n + 1, max(b.severity, f.Severity)}
		}
		if w := wasted(x); w > 0 {
			byServer[server] += w
		}
		g.wait(x)
		p := pair{client, server}
		if balances[p] == nil {
			balances[p] = &report.Balance{Client: client, Server: server}
		}
		balances[p].Add(&x.Exchange)
	}
	g.summarize(n)
	g.verdict = tally.Verdict(&g.summary)
	g.rules = slices.SortedFunc(maps.Values(byRule), func(a, b bar) int {
		return cmp.Or(cmp.Compare(b.severity, a.severity), cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name))
	})
	for s, w := range byServer {
		g.servers = append(g.servers, bar{name: endpoint(s), n: w})
	}
	slices.SortFunc(g.servers, func(a, b bar) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
	for _, b := range balances {
		if b.Expect > 0 || b.Wasted > 0 {
			g.balances = append(g.balances, *b)
		}
	}
	slices.SortFunc(g.balances, func(a, b report.Balance) int {
		return cmp.Or(cmp.Compare(b.Wasted, a.Wasted), cmp.Compare(b.Paid, a.Paid), a.Server.Compare(b.Server), a.Client.Compare(b.Client))
	})
	if n.Progress.Summary != nil {
		g.health = report.Health(n.Progress.Summary, report.Options{Width: report.DefaultWidth - 2, Input: inputs})
	}
	return g
}

// wait counts how long a client waited for the answer to its Expect before it sent its body.
func (g *figures) wait(x *store.Exchange) {
	if !x.Expects() {
		return
	}
	ns, ok := query.Wait(&x.Exchange)
	if !ok {
		return
	}
	g.waited++
	g.waits[slices.IndexFunc(waitBins[:], func(b waitBin) bool { return ns < b.upTo })]++
}

// summarize takes the run's summary, or counts what there is so far.
func (g *figures) summarize(n store.Snapshot) {
	if s := n.Progress.Summary; s != nil {
		g.summary = *s
		return
	}
	s := &g.summary
	for i := range n.Exchanges.Len() {
		x := n.Exchanges.At(i)
		s.Exchanges++
		s.BodySent += x.ReqBody.Sent
		s.WastedBytes += wasted(x)
		s.SavedBytes += x.Saved()
		s.Waited += x.WaitedForContinue()
		if _, ok := x.Request.Get("Expect"); !ok {
			continue
		}
		s.Expect++
		if x.Final == nil || x.Final.Status != 417 {
			continue
		}
		s.Refused417++
		switch o := x.Retry().Outcome; {
		case o == analysis.RetrySameConn || o == analysis.RetryNewConn:
			s.Retried++
		case abandoned(x):
			s.NotRetried++
		default:
			s.RetryUnknown++
		}
	}
}
