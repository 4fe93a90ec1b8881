package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

// schema is the version of the JSON objects: it changes when a field is renamed or retyped, not when one is added.
const schema = 1

// objects appends the JSON objects of the output contract: exchange, finding and summary. What is not known is left out.
type objects struct {
	encoder
	opts Options
	keys []string // names of a map, sorted
}

// open begins an object of the kind.
func (o *objects) open(kind string) {
	o.begin('{')
	o.int("schema", schema)
	o.str("type", kind)
}

// exchange appends the object of an exchange.
func (o *objects) exchange(x *analysis.Exchange) {
	home := x.Request.Last.Packet.Input()
	if home == 0 {
		home = x.Conn.First.Input()
	}
	o.open("exchange")
	o.str("id", x.ID)
	o.str("file", o.opts.file(home))
	o.request(x)
	o.interims(x, home)
	o.final(x, home)
	if x.Request.Last.Packet != 0 {
		o.body(x)
	}
	if ns, ok := x.Wait(); ok {
		o.ms("wait_ms", ns)
	}
	if n, ok := x.Wasted(); ok {
		o.int("wasted_bytes", n)
	}
	o.str("retry_of", x.RetryOf)
	o.str("retried_by", x.Retry().By)
	o.str("retry", x.Retry().Outcome.String())
	if x.RetryOf != "" {
		o.ms("retry_delay_ms", x.RetryDelay)
	}
	o.links(x)
	o.hops(x)
	o.str("ended", x.Ended.String())
	o.resets(x, home)
	if who := x.Waiting(); who != "" {
		o.str("waiting_for", who)
		o.ms("silent_ms", x.At-x.LastActivity.Time)
	}
	o.key("doubts")
	o.begin('[')
	for i := range x.Doubts {
		o.comma()
		o.begin('{')
		o.str("kind", x.Doubts[i].Kind.String())
		o.packet("packet", "file", x.Doubts[i].At.Packet, home)
		o.end('}')
	}
	o.end(']')
	o.end('}')
}

// hops appends what the exchange is on the other side of a proxy.
func (o *objects) hops(x *analysis.Exchange) {
	for _, l := range x.Sequel().Hops {
		name := l.Side.String()
		o.str(name, l.To)
		o.str(name+"_confidence", l.Confidence.String())
		o.str(name+"_why", l.Why)
		o.key(name + "_by")
		o.begin('[')
		for _, tie := range l.By.Names() {
			o.comma()
			o.quote(tie)
		}
		o.end(']')
		if l.Early > 0 {
			o.ms(name+"_clock_ms", l.Early)
		}
	}
}

// request appends the fields about the connection and the request head.
func (o *objects) request(x *analysis.Exchange) {
	m := &x.Request
	o.str("proto", m.Version)
	if x.TLS != nil {
		o.bool("tls", true)
		o.str("tls_version", x.TLS.Version)
		o.str("alpn", x.TLS.ALPN)
		o.str("sni", x.TLS.SNI)
	}
	if x.StreamID != 0 {
		o.uint("stream", uint64(x.StreamID))
	}
	o.addr("client", x.Conn.Addr(x.Client))
	o.addr("server", x.Conn.Addr(x.ServerDir()))
	o.str("method", m.Method)
	o.str("target", m.Target)
	o.str("authority", x.Authority())
	o.str("user_agent", x.UserAgent())
	o.lines("via", m, "Via")
	o.str("server_software", x.Software())
	if o.lines("expect", m, "Expect") {
		o.str("expect_class", m.ExpectClass().String())
	}
	if m.Last.Packet != 0 {
		o.time("time", m.Last.Time)
		o.uint("packet", m.Last.Packet.Frame())
	}
}

// lines appends the values of all field lines of that name, joined by ", ", and tells whether there is one.
func (o *objects) lines(name string, m *analysis.Message, field string) bool {
	found := false
	for f := range m.Lines() {
		if !strings.EqualFold(f.Name, field) {
			continue
		}
		if !found {
			o.key(name)
			o.quote(f.Value)
			found = true
			continue
		}
		o.b = append(o.b[:len(o.b)-1], ", "...) // over the closing quote
		at := len(o.b)
		o.quote(f.Value)
		o.b = slices.Delete(o.b, at, at+1)
	}
	return found
}

// links appends what followed from how the exchange was answered, where that is known.
func (o *objects) links(x *analysis.Exchange) {
	links := x.Sequel().Links
	if len(links) == 0 {
		return
	}
	o.key("links")
	o.begin('[')
	for _, l := range links {
		o.comma()
		o.begin('{')
		o.str("kind", l.Kind.String())
		o.str("to", l.To)
		o.str("confidence", l.Confidence.String())
		o.end('}')
	}
	o.end(']')
}

// packet appends a frame number, and its input's name where that is not the input home.
func (o *objects) packet(name, file string, n capture.Num, home int) {
	if n == 0 {
		return
	}
	o.uint(name, n.Frame())
	if n.Input() != home {
		o.str(file, o.opts.file(n.Input()))
	}
}

// since appends the time from the end of the request head to m.
func (o *objects) since(name string, x *analysis.Exchange, m reassembly.Mark) {
	if x.Request.Last.Packet != 0 {
		o.ms(name, m.Time-x.Request.Last.Time)
	}
}

func (o *objects) interims(x *analysis.Exchange, home int) {
	o.key("interim")
	o.begin('[')
	for i := range x.Interim {
		m := &x.Interim[i]
		o.comma()
		o.begin('{')
		o.int("status", int64(m.Status))
		o.str("reason", m.Reason)
		o.time("time", m.Last.Time)
		o.packet("packet", "file", m.Last.Packet, home)
		o.since("ms", x, m.Last)
		o.end('}')
	}
	o.end(']')
}

func (o *objects) final(x *analysis.Exchange, home int) {
	m := x.Final
	if m == nil {
		return
	}
	o.int("status", int64(m.Status))
	o.str("reason", m.Reason)
	o.time("final_time", m.Last.Time)
	o.packet("final_packet", "final_file", m.Last.Packet, home)
	o.since("final_ms", x, m.Last)
	o.bool("close", m.Close)
}

// body appends the account of the request body. The classes by what the client knew need the server's direction to
// have been captured, those by what the server had read need a final response.
func (o *objects) body(x *analysis.Exchange) {
	b := &x.ReqBody
	o.key("body")
	o.begin('{')
	o.str("framing", b.Framing.String())
	if n := x.N(); n >= 0 {
		o.int("declared", n)
	}
	o.int("sent", b.Sent)
	if n, ok := x.Unsent(); ok {
		o.int("unsent", n)
	}
	if x.Conn.Seen[x.ServerDir()] {
		o.int("early", b.Early)
		o.int("invited", b.Invited)
	}
	if x.Final != nil {
		o.int("tail", b.Tail)
		o.int("read", b.Read)
		o.int("crossing", b.Crossing)
	}
	o.int("lost", b.Lost)
	if b.Wire > 0 {
		o.int("flow", b.Flow)
		o.int("wire", b.Wire)
	}
	o.bool("complete", b.Complete)
	o.end('}')
}

// finding appends the object of a finding. Its packets are frames of the input of the first one (`file`, where there are several
// inputs); evidence in other inputs is listed apart, as "<input>:<frame>".
func (o *objects) finding(f *analysis.Finding) {
	o.open("finding")
	o.str("rule", f.Rule)
	o.str("state", f.State.String())
	o.str("cause", f.Cause)
	o.str("severity", f.Severity.String())
	o.str("confidence", f.Confidence.String())
	o.fault(f.Fault)
	o.str("exchange", f.Exchange)
	if len(f.Related) > 0 {
		o.strings("related", f.Related)
	}
	home := 0
	if len(f.Evidence) > 0 {
		home = f.Evidence[0].Input()
	}
	o.str("file", o.opts.file(home))
	o.addr("client", f.Client)
	o.addr("server", f.Server)
	o.str("method", f.Method)
	o.str("target", f.Target)
	if f.Status != 0 {
		o.int("status", int64(f.Status))
	}
	o.str("summary", f.Summary)
	if f.Wasted != 0 {
		o.int("wasted_bytes", f.Wasted)
	}
	if f.Saved != 0 {
		o.int("saved_bytes", f.Saved)
	}
	if f.Lost != 0 {
		o.ms("lost_ms", int64(f.Lost))
	}
	o.key("clauses")
	o.begin('[')
	for _, c := range f.Clauses {
		o.comma()
		o.quote(c.String())
	}
	o.end(']')
	o.str("fix", strings.Join(f.Fix, "; "))
	o.evidence(f.Evidence, home)
	o.proof(f, home)
	if f.Time != 0 {
		o.time("time", f.Time)
	}
	o.end('}')
}

// fault is one word, or an array where more than one party is to change something.
func (o *objects) fault(parties []analysis.Fault) {
	switch len(parties) {
	case 0:
		o.str("fault", analysis.FaultUnknown.String())
	case 1:
		o.str("fault", parties[0].String())
	default:
		o.key("fault")
		o.begin('[')
		for _, p := range parties {
			o.comma()
			o.quote(p.String())
		}
		o.end(']')
	}
}

// strings appends an array of strings.
func (o *objects) strings(name string, vs []string) {
	o.key(name)
	o.begin('[')
	for _, v := range vs {
		o.comma()
		o.quote(v)
	}
	o.end(']')
}

func (o *objects) evidence(nums []capture.Num, home int) {
	others := 0
	o.key("evidence")
	o.begin('[')
	for _, n := range nums {
		if n.Input() != home {
			others++
			continue
		}
		o.comma()
		o.b = strconv.AppendUint(o.b, n.Frame(), 10)
	}
	o.end(']')
	if others > 0 {
		o.key("evidence_other")
		o.begin('[')
		for _, n := range nums {
			if n.Input() != home {
				o.comma()
				o.b = append(o.b, '"')
				o.b = strconv.AppendInt(o.b, int64(n.Input()), 10)
				o.b = strconv.AppendUint(append(o.b, ':'), n.Frame(), 10)
				o.b = append(o.b, '"')
			}
		}
		o.end(']')
	}
}

// proof appends the display filter that shows the evidence.
func (o *objects) proof(f *analysis.Finding, home int) {
	here := slices.ContainsFunc(f.Evidence, func(n capture.Num) bool { return n.Input() == home })
	switch {
	case f.Unrecorded:
		o.key("wireshark")
		o.b = append(appendSpan(append(o.b, '"'), f), '"')
	case here:
		o.key("wireshark")
		o.b = append(appendFilter(append(o.b, '"'), f.Evidence, home), '"')
	}
}

// appendFilter appends the Wireshark display filter that shows the packets of the input home, and nothing else.
func appendFilter(b []byte, nums []capture.Num, home int) []byte {
	b = append(b, "frame.number in {"...)
	sep := false
	for _, n := range nums {
		if n.Input() != home {
			continue
		}
		if sep {
			b = append(b, ',')
		}
		b, sep = strconv.AppendUint(b, n.Frame(), 10), true
	}
	return append(b, '}')
}

// counts appends a map of counters, its names sorted.
func (o *objects) counts(name string, m map[string]uint64) {
	o.key(name)
	o.begin('{')
	o.keys = slices.AppendSeq(o.keys[:0], maps.Keys(m))
	slices.Sort(o.keys)
	for _, k := range o.keys {
		o.comma()
		o.quote(k)
		o.b = strconv.AppendUint(append(o.b, ':'), m[k], 10)
	}
	o.end('}')
}
