package tui

import (
	"bytes"
	"io"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
)

// A tap counts what is written.
type tap struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *tap) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *tap) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Len()
}

func (t *tap) contains(s string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Contains(t.b.Bytes(), []byte(s))
}

// silent is an input on which nothing is typed; it ends with the program.
type silent struct{ end chan struct{} }

func (s silent) Read([]byte) (int, error) { <-s.end; return 0, io.EOF }

// A key sends the lines that changed: over ssh that is what one waits for.
func TestBytesPerKey(t *testing.T) {
	const keys, frame = 60, 20 * time.Millisecond
	st := many(2000)
	for _, view := range []string{"1", "2", "4"} {
		out, in := &tap{}, silent{make(chan struct{})}
		m := newModel(st, Options{Title: "big.pcap", In: in, Out: out})
		m.screen.key(view)
		m.refresh(time.Now())
		m.index(time.Now())
		m.screen.key("z")
		m.screen.resize(160, 50)
		m.painter.start("")
		p := tea.NewProgram(m, append(programOptions(m.o), tea.WithInput(in), tea.WithWindowSize(160, 50), tea.WithEnvironment([]string{"TERM=xterm-256color"}))...)
		ready := make(chan int)
		go func() {
			clock := time.NewTicker(frame)
			defer clock.Stop()
			for range 15 {
				<-clock.C
			}
			ready <- out.len()
			for range keys {
				p.Send(tea.KeyPressMsg{Code: 'j', Text: "j"})
				<-clock.C
			}
			for range 3 {
				<-clock.C
			}
			ready <- out.len()
			p.Quit()
			close(in.end)
		}()
		go func() { _, _ = p.Run() }()
		first := <-ready
		each := (<-ready - first) / keys
		p.Wait()
		t.Logf("view %s: first screen %d bytes, %d bytes a key", view, first, each)
		if each > 400 || each == 0 {
			t.Errorf("view %s: %d bytes a key", view, each)
		}
	}
}
