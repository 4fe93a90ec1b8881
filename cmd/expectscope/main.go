// Command expectscope is the program.
package main

import (
	"bufio"
	"fmt"
	"os"

	"expectscope/analysis"
	"expectscope/analysis/engine"
	"expectscope/analysis/report"
	"expectscope/capture/pcapfile"
)

type sink struct{ w report.Writer }

func (s sink) Exchange(x *analysis.Exchange) { s.w.Exchange(x) }
func (s sink) Finding(f *analysis.Finding)   { s.w.Finding(f) }

func main() {
	args := os.Args[2:]
	name, all := "text", false
	var files []string
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-f":
			i++
			name = args[i]
		case "--all":
			all = true
		default:
			files = append(files, args[i])
		}
	}
	src, err := pcapfile.Open(files, pcapfile.Options{Stdin: os.Stdin})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	f, _ := report.ByName(name)
	out := bufio.NewWriter(os.Stdout)
	w := f.New(out, report.Options{})
	e := engine.New(engine.Options{All: all, Multi: len(files) > 1}, sink{w})
	e.Read(src, func() bool { return true })
	s := e.Close(src)
	w.Close(s)
	out.Flush()
	for _, p := range e.Panics() {
		fmt.Fprintln(os.Stderr, "panic", p.Packet, p.Value)
	}
	for _, in := range src.Stats().Inputs {
		if in.Err != nil {
			fmt.Fprintln(os.Stderr, in.Err)
			os.Exit(3)
		}
	}
}
