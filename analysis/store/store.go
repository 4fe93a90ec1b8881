// Package store keeps what a run found, for a reader that looks at it while the
// run goes on.
//
// A [Store] is filled by one goroutine, the pipeline's: it is an engine's sink.
// Any number of others take a [Snapshot] of it, which costs nothing and never
// changes. Records are immutable; a later one with the same ID takes the place
// of an earlier one. Neither side waits for the other, but for a map operation
// when a snapshot looks up an ID.
//
// It holds what it is given: memory grows with the exchanges of interest, about 2 KB
// for each, and 0.5 KB for each finding. Programs that read only once write to analysis/report instead.
package store

import (
	"slices"
	"sync"
	"sync/atomic"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

// An Exchange is an exchange with what was found on it.
type Exchange struct {
	analysis.Exchange
	// Findings are those of the exchange, causes before their consequences.
	Findings []*Finding
	// Pos is the exchange's position in a snapshot, Connection the number of its connection, from 0, in the order in which connections were first seen here.
	Pos, Connection int32
}

// A Finding is a finding and where its exchange is.
type Finding struct {
	analysis.Finding
	// On is the position of the exchange the finding is on.
	On int32
	// Depth is how many causes stand above it on the same exchange.
	Depth int8
	pos   int32 // among the findings
}

// Progress is how far the run has come.
type Progress struct {
	// Read and Total are bytes of input; Total is 0 when it is not known.
	Read, Total int64
	// Done tells that nothing more will come, Stopped that it was stopped before the input's end.
	Done, Stopped bool
	// Err says why the input could not be read to its end, nil when it was.
	Err error
	// Summary counts the run: the whole of it once Done, before that what Counted said last, nil if nothing.
	Summary *analysis.Summary
}

// A Store collects the results of one run. Its methods, but for Snapshot, are for a single goroutine.
type Store struct {
	exchanges list[Exchange]
	findings  list[Finding]
	version   atomic.Uint64
	progress  atomic.Pointer[Progress]

	mu  sync.Mutex // guards ids
	ids map[string]int32

	texts    texts
	xs       block[Exchange]
	finals   block[analysis.Message]
	conns    map[capture.Num]known
	pending  *Exchange
	replaces int32 // position of the exchange that pending replaces, -1 if it is new
}

// known is a connection that was seen: its number and its latest copy.
type known struct {
	number int32
	conn   *reassembly.Conn
}

// New returns an empty store.
func New() *Store {
	s := &Store{ids: map[string]int32{}, texts: newTexts(), conns: map[capture.Num]known{}}
	s.progress.Store(&Progress{})
	return s
}

// Exchange takes an exchange; its findings follow. It appears in snapshots once the next one comes, or [Store.Progress] or [Store.Close] is
// called. x is copied; the slices it leads to must not change afterwards, but for its doubts. Fields that stand in their head are kept
// there alone: [analysis.Message.Lines] reads them.
func (s *Store) Exchange(x *analysis.Exchange) {
	s.flush()
	e := s.xs.new()
	e.Exchange = *x
	e.ID = s.texts.keep(x.ID)
	e.Doubts = slices.Clone(x.Doubts)
	if x.Final != nil {
		e.Final = s.finals.new()
		*e.Final = *x.Final
		s.texts.response(e.Final)
	}
	if x.Owed != nil {
		owed := *x.Owed
		e.Owed = &owed
	}
	e.Interim = slices.Clone(x.Interim)
	for i := range e.Interim {
		s.texts.response(&e.Interim[i])
	}
	s.texts.request(&e.Request)
	e.Conn, e.Connection = s.conn(x.Conn)
	s.pending, s.replaces = e, -1
	if i, ok := s.find(x.ID); ok {
		s.replaces = i
	}
}

// conn is a copy of the connection that nobody writes to, shared as long as it is equal, and its number.
func (s *Store) conn(c *reassembly.Conn) (*reassembly.Conn, int32) {
	k, ok := s.conns[c.First]
	if !ok {
		k.number = int32(len(s.conns))
	}
	if !ok || *k.conn != *c {
		same := *c
		k.conn = &same
		s.conns[c.First] = k
	}
	return k.conn, k.number
}

// Finding takes a finding on the exchange that came last; findings on another one are dropped, as they can be shown nowhere. f is copied; what it leads to must not change.
func (s *Store) Finding(f *analysis.Finding) {
	if s.pending == nil || f.Exchange != s.pending.ID || f.State == analysis.Withdrawn {
		return
	}
	g := &Finding{Finding: *f}
	g.Exchange = s.pending.ID
	for _, above := range s.pending.Findings {
		if above.Rule == f.Cause {
			g.Depth = above.Depth + 1
		}
	}
	s.pending.Findings = append(s.pending.Findings, g)
}

// flush makes the pending exchange and its findings visible.
func (s *Store) flush() {
	e := s.pending
	if e == nil {
		return
	}
	s.pending = nil
	e.Findings = slices.Clip(e.Findings)
	if s.replaces >= 0 {
		s.replace(e, s.replaces)
	} else {
		e.Pos = int32(s.exchanges.n.Load())
		s.mu.Lock()
		s.ids[e.ID] = e.Pos
		s.mu.Unlock()
		s.exchanges.add(e)
		for _, f := range e.Findings {
			f.On = e.Pos
			s.add(f)
		}
	}
	s.version.Add(1)
}

// add appends a finding.
func (s *Store) add(f *Finding) {
	f.pos = int32(s.findings.n.Load())
	s.findings.add(f)
}

// replace puts e in the place of the earlier exchange, and each finding in that of the earlier one of its rule.
func (s *Store) replace(e *Exchange, at int32) {
	e.Pos = at
	old := s.exchanges.view().At(int(at)).Findings
	s.exchanges.replace(int(at), e)
	left := map[string]int32{} // positions of the old findings, by rule
	for _, f := range old {
		left[f.Rule] = f.pos
	}
	for _, f := range e.Findings {
		f.On = at
		if i, ok := left[f.Rule]; ok {
			f.pos = i
			s.findings.replace(int(i), f)
			delete(left, f.Rule)
		} else {
			s.add(f)
		}
	}
	for _, i := range left {
		s.findings.replace(int(i), nil)
	}
}

// find is the position of the exchange with that ID.
func (s *Store) find(id string) (int32, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.ids[id]
	return i, ok
}

// Progress says how many bytes of the input were read, of how many; 0 of those when not known.
func (s *Store) Progress(read, total int64) {
	s.flush()
	s.progress.Store(&Progress{Read: read, Total: total, Summary: s.progress.Load().Summary})
	s.version.Add(1)
}

// Counted says what was counted so far: for runs that go on for hours. sum must not change.
func (s *Store) Counted(sum *analysis.Summary) {
	p := *s.progress.Load()
	p.Summary = sum
	s.progress.Store(&p)
	s.version.Add(1)
}

// Close ends the run. stopped: before the input's end, because the user wanted it; err: because it could not be read on.
func (s *Store) Close(sum *analysis.Summary, stopped bool, err error) {
	s.flush()
	p := *s.progress.Load()
	p.Done, p.Stopped, p.Err, p.Summary = true, stopped, err, sum
	s.progress.Store(&p)
	s.version.Add(1)
}

// A Snapshot is what the store held at one moment. It never changes.
type Snapshot struct {
	// Version grows with every change of the store.
	Version   uint64
	Exchanges View[Exchange]
	Findings  View[Finding]
	Progress  Progress
	store     *Store
}

// Snapshot is what the store holds now. The exchange of each finding in it is in it too. Any goroutine may call it.
func (s *Store) Snapshot() Snapshot {
	n := Snapshot{Version: s.version.Load(), Progress: *s.progress.Load(), store: s}
	n.Findings = s.findings.view()
	n.Exchanges = s.exchanges.view()
	return n
}

// Find is the exchange with that ID, nil if there is none in the snapshot.
func (n Snapshot) Find(id string) *Exchange {
	if n.store == nil || id == "" {
		return nil
	}
	i, ok := n.store.find(id)
	if !ok || int(i) >= n.Exchanges.Len() {
		return nil
	}
	return n.Exchanges.At(int(i))
}

// On is the exchange a finding is on.
func (n Snapshot) On(f *Finding) *Exchange { return n.Exchanges.At(int(f.On)) }
