package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Real programs talk to each other, live and tcpdump capture it at the same
// time, and live says what analyze says of tcpdump's file: exchange for
// exchange, finding for finding.
func TestLiveEndToEnd(t *testing.T) {
	for _, program := range []string{"curl", "tcpdump"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("there is no %s", program)
		}
	}
	if !alone(t) {
		return
	}
	w := newWorld(t)
	tcpdump := start(t, w.dir, "tcpdump", "-i", "lo", "-s", "0", "-U", "-B", "65536", "--immediate-mode", "--time-stamp-precision=nano", "-w", "tcpdump.pcap", "tcp")
	tcpdump.capturing(t)
	watching := start(t, w.dir, "expectscope", "live", "-i", "lo", "-f", "ndjson", "--retry-window", "1500ms", "tcp")
	watching.capturing(t)
	w.talk()
	if status := watching.end(t); status != 0 || watching.complaints() != "" {
		t.Fatalf("status %d: %s", status, watching.err.String())
	}
	file := filepath.Join(w.dir, "tcpdump.pcap")
	waitFor(t, "tcpdump writes the last packets", func() bool {
		b, err := os.ReadFile(file)
		return err == nil && bytes.Contains(b, []byte(lastWords))
	})
	tcpdump.end(t)
	if !strings.Contains(tcpdump.err.String(), "\n0 packets dropped by kernel") {
		t.Skipf("tcpdump missed something: %s", tcpdump.err.String())
	}
	theirs := runWith(t, nil, "analyze", "-f", "ndjson", "--retry-window", "1500ms", file)
	if theirs.status != 0 {
		t.Fatalf("analyze: status %d, %s", theirs.status, theirs.err)
	}
	if strings.Contains(watching.out.String(), `"silent_ms":-`) {
		t.Error("something was silent for less than no time")
	}
	got := conclusions(t, watching.out.String())
	if d := cmp.Diff(conclusions(t, theirs.out), got); d != "" {
		t.Errorf("live differs from what analyze says of tcpdump's file (-analyze +live):\n%s", d)
	}
	w.judge(got)
}

// waitFor waits until something is so.
func waitFor(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not in 5 seconds: %s", what)
		}
	}
}

// story is what happened to one request, in a line.
func story(x map[string]any) string {
	words := []any{x["method"]}
	if x["expect"] != nil {
		words = append(words, "expect")
	}
	interims, _ := x["interim"].([]any)
	for _, i := range interims {
		words = append(words, i.(map[string]any)["status"])
	}
	words = append(words, x["status"])
	if x["close"] == true {
		words = append(words, "close")
	}
	if b, ok := x["body"].(map[string]any); ok {
		words = append(words, "sent", int(b["sent"].(float64)))
	}
	if x["retry"] != nil {
		words = append(words, x["retry"])
	}
	return strings.TrimSpace(fmt.Sprintln(words...))
}

// judge holds what was seen against what is wanted.
func (w *world) judge(got map[string]any) {
	w.t.Helper()
	stories, rules := map[string][]string{}, map[string][]string{}
	for name, v := range got {
		o := v.(map[string]any)
		target := o["target"].(string)
		if o["type"] == "exchange" {
			stories[target] = append(stories[target], story(o))
			continue
		}
		rules[target] = append(rules[target], fmt.Sprint(o["rule"], " ", o["confidence"]))
		if o["state"] != "final" {
			w.t.Errorf("%s is %v in the end", name, o["state"])
		}
	}
	for _, want := range w.want {
		lines := stories[want.target]
		slices.Sort(lines)
		if !slices.EqualFunc(lines, want.lines, func(line, begins string) bool { return strings.HasPrefix(line, begins) }) {
			w.t.Errorf("%s:\n got %q\nwant %q", want.target, lines, want.lines)
		}
		for _, rule := range want.rules {
			if !slices.Contains(rules[want.target], rule) {
				w.t.Errorf("%s: %q is not among %q", want.target, rule, rules[want.target])
			}
		}
		if len(want.rules) == 0 && len(rules[want.target]) > 0 {
			w.t.Errorf("%s: findings %q where all is well", want.target, rules[want.target])
		}
	}
}

// conclusions are the exchanges and findings of ndjson as they stand in the
// end, without times and packets. They are named for the client's port and the
// ordinal of the request, since ids hold the number of a packet.
func conclusions(t *testing.T, ndjson string) map[string]any {
	t.Helper()
	names, all := map[string]string{}, map[string]any{}
	for line := range strings.Lines(ndjson) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		switch o["type"] {
		case "exchange":
			id := o["id"].(string)
			_, ordinal, _ := strings.Cut(id, "/")
			names[id] = fmt.Sprint(o["client"], " ", ordinal)
			all[names[id]] = o
		case "finding":
			name := fmt.Sprint(names[o["exchange"].(string)], " ", o["rule"])
			if all[name] = o; o["state"] == "withdrawn" {
				delete(all, name)
			}
		}
	}
	for _, v := range all {
		strip(v.(map[string]any), names)
	}
	return all
}

// strip takes times and numbers of packets out of a line, and gives exchanges
// their names.
func strip(o map[string]any, names map[string]string) {
	for k, v := range o {
		if slices.Contains(fleeting, k) || strings.HasSuffix(k, "_packet") || strings.HasSuffix(k, "_time") || strings.HasSuffix(k, "_ms") {
			delete(o, k)
			continue
		}
		o[k] = named(v, names)
	}
}

// fleeting are the fields that hold times or numbers of packets; a summary
// tells times in words.
var fleeting = []string{"packet", "evidence", "wireshark", "time", "ms", "summary"}

// named puts names in the place of ids in a value, and strips what is in it.
func named(v any, names map[string]string) any {
	switch v := v.(type) {
	case string:
		if name, ok := names[v]; ok {
			return name
		}
	case map[string]any:
		strip(v, names)
	case []any:
		for i := range v {
			v[i] = named(v[i], names)
		}
	}
	return v
}
