package tui
import ("testing";"time";"syscall"; tea "charm.land/bubbletea/v2")
func rus() time.Duration { var r syscall.Rusage; syscall.Getrusage(0,&r); return time.Duration(r.Utime.Nano()+r.Stime.Nano()) }
func TestZZCPU(t *testing.T) {
	st := many(2000)
	out, in := &tap{}, silent{make(chan struct{})}
	m := newModel(st, Options{Title: "big.pcap", In: in, Out: out})
	m.screen.key("2"); m.refresh(time.Now()); m.index(time.Now())
	p := tea.NewProgram(m, tea.WithInput(in), tea.WithOutput(out), tea.WithWindowSize(160, 50), tea.WithEnvironment([]string{"TERM=xterm-256color"}))
	go p.Run()
	time.Sleep(300*time.Millisecond)
	c0 := rus(); time.Sleep(2*time.Second); idle := rus()-c0
	c0 = rus()
	for range 300 { p.Send(tea.KeyPressMsg{Code: 'j', Text: "j"}); time.Sleep(17*time.Millisecond) }
	t.Log("idle per 2 s", idle, "per key", (rus()-c0)/300)
	p.Quit(); close(in.end); p.Wait()
}
