package tui

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/exp/teatest/v2"

	"expectscope/analysis"
	"expectscope/analysis/report"
	"expectscope/analysis/store"
)

// A journey is a program in a terminal of 80x24 that is typed at.
type journey struct {
	t *testing.T
	m *teatest.TestModel
	w *window
}

// A window is the program seen from outside: what it drew last. (What it sends are differences, in which no text is whole.)
type window struct {
	*model
	mu    sync.Mutex
	drew  *sync.Cond
	drawn string
	late  bool
}

func (w *window) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	_, cmd := w.model.Update(msg)
	return w, cmd
}

func (w *window) View() tea.View {
	w.mu.Lock()
	w.drawn = sgr.ReplaceAllString(strings.Join(w.model.drawn, "\n"), "")
	w.mu.Unlock()
	w.drew.Broadcast()
	return w.model.View()
}

func start(t *testing.T, st *store.Store, o Options) journey {
	t.Helper()
	if o.In = strings.NewReader(""); o.Out == nil {
		o.Out = io.Discard
	}
	w := &window{model: newModel(st, o)}
	w.painter.start("")
	w.drew = sync.NewCond(&w.mu)
	return journey{t, teatest.NewTestModel(t, w, teatest.WithInitialTermSize(80, 24)), w}
}

func (j journey) press(keys ...tea.KeyPressMsg) {
	for _, k := range keys {
		j.m.Send(k)
	}
}

// sees waits until all of it is on the screen.
func (j journey) sees(want ...string) {
	j.t.Helper()
	w := j.w
	give := time.AfterFunc(20*time.Second, func() {
		w.mu.Lock()
		w.late = true
		w.mu.Unlock()
		w.drew.Broadcast()
	})
	defer give.Stop()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range want {
		for !strings.Contains(w.drawn, text) {
			if w.late {
				j.t.Fatalf("%q is not on the screen:\n%s", text, w.drawn)
			}
			w.drew.Wait()
		}
	}
}

// screen is what is on the screen.
func (j journey) screen() string {
	j.w.mu.Lock()
	defer j.w.mu.Unlock()
	return j.w.drawn
}

func (j journey) quit() *screen {
	j.t.Helper()
	j.press(rune1('q'))
	return j.m.FinalModel(j.t, teatest.WithFinalTimeout(20*time.Second)).(*window).screen
}

func rune1(r rune) tea.KeyPressMsg { return tea.KeyPressMsg{Code: r, Text: string(r)} }

var (
	enterKey = tea.KeyPressMsg{Code: tea.KeyEnter}
	escKey   = tea.KeyPressMsg{Code: tea.KeyEscape}
	tabKey   = tea.KeyPressMsg{Code: tea.KeyTab}
)

// The gravest finding, its ladder, its repeat, and the proof in the clipboard.
func TestJourneyToTheProof(t *testing.T) {
	out := &tap{}
	j := start(t, fixture(), Options{Title: "upload.pcap", Out: out})
	j.sees("body-withheld-reuse")
	j.press(enterKey)
	j.sees("repeated on the same connection")
	j.press(rune1('y'))
	j.press(rune1('r'))
	j.sees("repeats")
	if !out.contains("\x1b]52;c;") { // OSC 52
		t.Error("nothing was copied")
	}
	if s := j.quit(); len(s.details) != 2 || s.message != "" {
		t.Errorf("the journey ended on %d pages with %q", len(s.details), s.message)
	}
}

// A filter is typed with completion, a wrong one is said to be wrong and does not close the prompt.
func TestJourneyFilter(t *testing.T) {
	j := start(t, fixture(), Options{})
	j.press(rune1('/'))
	j.m.Type("ru")
	j.sees("/ru", "11 shown") // half a key hides nothing
	j.press(tabKey)
	j.m.Type("417-no")
	j.sees("417-no-retry")
	j.press(tabKey, enterKey)
	j.sees("/rule:417-no-r", "1 shown")
	j.press(rune1('/'))
	j.m.Type(" wasted>lots")
	j.press(enterKey)
	j.sees("is no size")
	j.press(escKey)
	s := j.quit()
	if s.typed != "rule:417-no-retry" || len(s.lists[findingsTab].ix.rows) != 1 {
		t.Errorf("the filter %q shows %d findings", s.typed, len(s.lists[findingsTab].ix.rows))
	}
}

// While a file is read the views fill; esc stops the load, and what is there stays.
func TestJourneyLoading(t *testing.T) {
	st := store.New()
	a := &arriving{st: st, s: script{at: epoch}}
	a.add(30)
	st.Progress(400_000_000, 1_000_000_000)
	var stopped atomic.Bool
	j := start(t, st, Options{Stop: func() { stopped.Store(true) }})
	j.sees("reading 40%", "stop loading")
	a.add(30)
	st.Progress(500_000_000, 1_000_000_000)
	j.sees("60 exchanges")
	j.press(escKey)
	j.sees("stopping")
	if !stopped.Load() {
		t.Error("the load was not stopped")
	}
	st.Close(nil, true, nil)
	j.sees("stopped early")
	if s := j.quit(); s.snap.Exchanges.Len() != 60 || s.loading != "" {
		t.Errorf("%d exchanges, loading %q", s.snap.Exchanges.Len(), s.loading)
	}
}

// What acts is called with what is selected, and what it says is shown.
func TestJourneyFiles(t *testing.T) {
	var extracted, written string
	j := start(t, fixture(), Options{
		Extract: func(id string) (string, error) {
			extracted = id
			return "7-1.pcapng", nil
		},
		Write: func(format string, rows Rows) (string, error) {
			var out bytes.Buffer
			f, _ := report.ByName(format)
			err := rows(f.New(&out, report.Options{}))
			written = out.String()
			return "", errors.Join(err, fmt.Errorf("no room on the \x1bdevice"))
		},
	})
	j.press(rune1('e'))
	j.sees("wrote 7-1.pcapng")
	j.press(rune1('o'), rune1('c'))
	j.sees(`no room on the \x1bdevice`)
	j.quit()
	if extracted != "7/1" || strings.Count(written, "\n") != 12 {
		t.Errorf("extracted %q, %d lines written", extracted, strings.Count(written, "\n"))
	}
	j = start(t, fixture(), Options{})
	j.sees("enter open")
	if got := j.screen(); strings.Contains(got, "extract") || strings.Contains(got, "output") {
		t.Errorf("keys are offered that cannot do anything:\n%s", got)
	}
	j.quit()
}

// More records than are indexed at once are indexed beside the loop; the last index is that of the last snapshot.
func TestJourneyMany(t *testing.T) {
	st := many(few)
	j := start(t, st, Options{})
	j.press(rune1('2'))
	j.sees("5,000 shown")
	j.press(rune1('3'))
	j.sees("of 5,000 exchanges went wrong")
	s := j.quit()
	if s.figures.version != s.snap.Version || s.lists[exchangesTab].ix.version != s.snap.Version {
		t.Error("what is shown is not what is there")
	}
}

// The colours follow the background, and NO_COLOR.
func TestLooks(t *testing.T) {
	for _, c := range []struct {
		env  string
		back tea.Msg
		want look
	}{
		{"TERM=xterm", tea.BackgroundColorMsg{Color: rgb{0, 0, 0}}, darkLook},
		{"TERM=xterm", tea.BackgroundColorMsg{Color: rgb{0xffff, 0xffff, 0xffff}}, lightLook},
		{"NO_COLOR=1", tea.BackgroundColorMsg{Color: rgb{0xffff, 0xffff, 0xffff}}, plainLook},
		{"TERM=dumb", nil, plainLook},
	} {
		m := newModel(fixture(), Options{})
		m.Update(tea.EnvMsg{c.env})
		m.Update(c.back)
		if m.look != c.want {
			t.Errorf("%s, %v: look %d, want %d", c.env, c.back, m.look, c.want)
		}
	}
}

type rgb struct{ r, g, b uint32 }

func (c rgb) RGBA() (r, g, b, a uint32) { return c.r, c.g, c.b, 0xffff }

func TestProgressText(t *testing.T) {
	for _, c := range []struct {
		read, total int64
		elapsed     time.Duration
		want        string
	}{
		{0, 1000, 0, "reading 0%"},
		{500_000_000, 1_000_000_000, 5 * time.Second, "reading 50%, 100.0 MB/s, 5s left"},
		{2_000_000, 0, time.Second, "reading 2.0 MB, 2.0 MB/s"},
		{0, 1000, 2 * time.Second, "reading 0%"},
		{2000, 1000, 2 * time.Second, "reading 100%, 1,000 bytes/s, 0s left"},
	} {
		if got := progressText(c.read, c.total, c.elapsed); got != c.want {
			t.Errorf("%d of %d in %v: %q, want %q", c.read, c.total, c.elapsed, got, c.want)
		}
	}
}

// Without a terminal there is an error that says what to use instead.
func TestNoTerminal(t *testing.T) {
	if err := Run(fixture(), Options{}); err == nil || !strings.Contains(err.Error(), "analyze") {
		t.Errorf("the error is %v", err)
	}
}

// What a live capture lost is said while it goes on.
func TestJourneyDrops(t *testing.T) {
	st := store.New()
	a := &arriving{st: st, s: script{at: epoch}}
	a.add(3)
	sum := &analysis.Summary{Exchanges: 3}
	sum.Capture.Drops, sum.Capture.DropsKnown = 1234, true
	st.Counted(sum)
	j := start(t, st, Options{})
	j.sees("1,234 packets dropped")
	j.quit()
}
