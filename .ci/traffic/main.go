// Command traffic writes a capture of generated traffic, for .ci/bench-peers:
//
//	go run ./.ci/traffic mix 1000 mix.pcap
//
// writes at least so many MB of the profile mix, small or upload (see script.Traffic), and prints what it holds as
// `expectscope analyze -f ndjson` would count it: requests.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"expectscope/capture"
	"expectscope/capture/pcapfile"
	"expectscope/capture/script"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "traffic:", err)
		os.Exit(2)
	}
}

// run writes the capture, and what it holds to out.
func run(args []string, out io.Writer) error {
	if len(args) != 3 || !slices.Contains(script.Profiles[:], script.Profile(args[0])) {
		return fmt.Errorf("usage: traffic mix|small|upload MB FILE")
	}
	mb, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	f, err := os.Create(args[2])
	if err != nil {
		return err
	}
	defer f.Close()
	b := bufio.NewWriterSize(f, 1<<20)
	w := pcapfile.NewPcapWriter(b, capture.LinkEthernet, 1<<18)
	requests, bytes, later := 0, 0, int64(0)
	for block := uint64(0); bytes < mb*1_000_000; block++ {
		text := script.Traffic(script.Profile(args[0]), block)
		requests += strings.Count(text, " HTTP/1.1 | Host: ")
		s, err := script.Parse(text)
		if err != nil {
			return err
		}
		packets := s.Packets(script.Options{})
		for i := range packets {
			packets[i].Time += later
			if err := w.WritePacket(&packets[i], ""); err != nil {
				return err
			}
			bytes += 16 + len(packets[i].Data)
		}
		later += packets[len(packets)-1].Time - packets[0].Time
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := b.Flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, requests, "requests"); err != nil {
		return err
	}
	return f.Close()
}
