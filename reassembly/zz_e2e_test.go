package reassembly

import (
	"errors"
	"expectscope/capture"
	"expectscope/capture/decode"
	"expectscope/capture/pcapfile"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestE2E(t *testing.T) {
	files, _ := filepath.Glob("/work/shared/lab/*.pcap*")
	if f := os.Getenv("E2E"); f != "" {
		files = []string{f}
	}
	for _, f := range files {
		src, err := pcapfile.Open([]string{f}, pcapfile.Options{})
		if err != nil {
			fmt.Println(f, err)
			continue
		}
		d := decode.New(decode.DefaultLimits())
		var all []*tally
		a := New(Options{}, func(*Conn) Layer { x := &tally{}; all = append(all, x); return x })
		var p capture.Packet
		var s decode.Segment
		n := 0
		last := int64(0)
		st := time.Now()
		for {
			err := src.Next(&p)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				continue
			}
			if sec := p.Time - p.Time%second; sec > last {
				last = sec
				a.Tick(sec)
			}
			if d.Decode(&p, &s) {
				n++
				a.Segment(&s)
			}
		}
		el := time.Since(st)
		mid := a.Stats()
		a.Close()
		var sum tally
		w := 0
		for _, x := range all {
			if x.wrong {
				w++
			}
			for i := range 2 {
				sum.data[i] += x.data[i]
				sum.gaps[i] += x.gaps[i]
				sum.end[i] += x.end[i]
			}
			sum.chunks += x.chunks
		}
		if mid.Gaps != a.Stats().Gaps || os.Getenv("E2E") != "" {
			fmt.Println("   before close", mid.Gaps, mid.LateBytes)
		}
		fmt.Println(filepath.Base(f), el, n, "layers", len(all), "wrong", w, fmt.Sprintf("%+v %+v", sum, a.Stats()))
		src.Close()
	}
}
