package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// aloneVar is set in a process with a network of its own.
const aloneVar = "EXPECTSCOPE_ALONE"

// alone runs a test once more in a process that has a network namespace of its
// own, where no one else talks, and tells whether this is that process.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(aloneVar) != "" {
		if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			t.Fatalf("loopback stays down: %v, %s", err, out)
		}
		return true
	}
	asRoot(t)
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("there is no ip (iproute2) to make a network with")
	}
	cmd := again(t, t.Name(), aloneVar)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); errors.Is(err, syscall.EPERM) {
		t.Skipf("cannot make a network namespace: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	for in := bufio.NewReader(out); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			break
		}
		t.Log(strings.TrimSuffix(line, "\n"))
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("alone in its network: %v", err)
	}
	return false
}

// again is a command that runs one test of this program, in an environment with
// one more variable.
func again(t *testing.T, test, variable string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^"+test+"$", "-test.v", "-test.timeout=0")
	cmd.Env = append(os.Environ(), variable+"=1")
	return cmd
}

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

// A world is three servers on loopback, and a file to upload to them.
type world struct {
	t                       *testing.T
	dir, upload             string
	scripted, golang, nginx string // where they listen; nginx may be missing
	want                    []*want
}

// A want is what is to be seen of the requests for a target.
type want struct {
	target string
	lines  []string
	rules  []string
}

// uploadSize is more than any curl sends without asking.
const uploadSize = 1_500_000

// lastWords are in the last request.
const lastWords = "/that-is-all"

func newWorld(t *testing.T) *world {
	w := &world{t: t, dir: t.TempDir()}
	w.upload = filepath.Join(w.dir, "upload.bin")
	if err := os.WriteFile(w.upload, make([]byte, uploadSize), 0o644); err != nil {
		t.Fatal(err)
	}
	w.scripted = serve(t, func(l net.Listener) {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go playServer(c)
		}
	})
	server := &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		status := http.StatusCreated
		if strings.HasPrefix(r.URL.Path, "/go/deny") {
			status = http.StatusForbidden
		} else if _, err := io.Copy(io.Discard, r.Body); err != nil { // the first read says 100
			status = http.StatusBadRequest
		}
		rw.WriteHeader(status)
	})}
	t.Cleanup(func() { _ = server.Close() })
	w.golang = serve(t, func(l net.Listener) { _ = server.Serve(l) }) // it ends with the listener
	w.startNginx()
	return w
}

// serve runs a server on a port of loopback until the test ends.
func serve(t *testing.T, server func(net.Listener)) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // net/http may have closed it
	go server(l)
	return l.Addr().String()
}

// playServer answers as the target says.
func playServer(c net.Conn) {
	defer c.Close()
	for in := bufio.NewReader(c); ; {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		expects, readBody := r.Header.Get("Expect") != "", true
		before, after := "", "201 Created"
		switch {
		case strings.HasPrefix(r.URL.Path, "/silent"):
		case strings.HasPrefix(r.URL.Path, "/deny"):
			before, after = "403 Forbidden", ""
		case expects && strings.HasPrefix(r.URL.Path, "/refuse"):
			before, after, readBody = "417 Expectation Failed", "", false
		case expects:
			before = "100 Continue"
		}
		ends := strings.HasSuffix(r.URL.Path, "-close") && expects
		if answer(c, before, ends) != nil {
			return
		}
		if readBody {
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
		}
		if answer(c, after, ends) != nil || ends {
			return
		}
	}
}

// answer writes a head with no content, if there is a status to say.
func answer(c net.Conn, status string, ends bool) error {
	if status == "" {
		return nil
	}
	fields := "Content-Length: 0\r\n"
	if ends {
		fields += "Connection: close\r\n"
	}
	if status[0] == '1' {
		fields = ""
	}
	_, err := io.WriteString(c, "HTTP/1.1 "+status+"\r\n"+fields+"\r\n")
	return err
}

// startNginx runs nginx, if it is there, in front of the Go server.
func (w *world) startNginx() {
	if _, err := exec.LookPath("nginx"); err != nil {
		w.t.Log("there is no nginx: it goes without")
		return
	}
	w.nginx = serve(w.t, func(l net.Listener) { _ = l.Close() }) // in this network nobody else takes the port
	waitFor(w.t, "a port for nginx is free", func() bool {
		l, err := net.Listen("tcp4", w.nginx)
		return err == nil && l.Close() == nil
	})
	conf := "daemon off; master_process off; pid nginx.pid; events {} http { access_log off; client_max_body_size 10m;\n"
	for _, temp := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		conf += temp + "_temp_path " + temp + ";\n"
	}
	conf += "server { listen " + w.nginx + ";\n" +
		"location / { proxy_pass http://" + w.golang + "; }\n" +
		"location /nginx/refuse { if ($http_expect) { return 417; } proxy_pass http://" + w.golang + "; } } }\n"
	path := filepath.Join(w.dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
		w.t.Fatal(err)
	}
	p := start(w.t, w.dir, "nginx", "-p", w.dir, "-c", path, "-e", "stderr")
	w.t.Cleanup(func() { p.end(w.t) })
	waitFor(w.t, "nginx listens", func() bool {
		c, err := net.Dial("tcp4", w.nginx)
		return err == nil && c.Close() == nil
	})
}

// curl uploads the file, and is to be told so.
func (w *world) curl(server, target string, args ...string) {
	w.t.Helper()
	args = append([]string{"-sS", "--max-time", "5", "-o", os.DevNull, "-T", w.upload}, args...)
	cmd := exec.Command("curl", append(args, "http://"+server+target)...)
	cmd.Env = append(os.Environ(), "no_proxy=*")
	if out, err := cmd.CombinedOutput(); err != nil {
		w.t.Errorf("curl %s: %v, %s", target, err, out)
	}
}

// put uploads with Go's client, which asks first.
func (w *world) put(server, target string) {
	w.t.Helper()
	tr := &http.Transport{ExpectContinueTimeout: time.Second}
	defer tr.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodPut, "http://"+server+target, bytes.NewReader(make([]byte, 20_000)))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Expect", "100-continue")
	answer, err := tr.RoundTrip(r)
	if err != nil {
		w.t.Errorf("put %s: %v", target, err)
		return
	}
	_ = answer.Body.Close() // it is empty
}

// talk is all that is said. What is refused for good comes first, so that the
// time to repeat it in is over in the end.
func (w *world) talk() {
	w.expect("/refuse/gone-close", "417-no-retry certain", "417-for-100-continue certain", "body-withheld-close certain").
		see("PUT expect 417 close sent 0 none")
	w.curl(w.scripted, "/refuse/gone-close")
	w.expect("/refuse/curl", "417-for-100-continue certain"). // where it repeats is for its version to choose
									see("PUT 201 sent 1500000", "PUT expect 417 sent 0 ")
	w.curl(w.scripted, "/refuse/curl")
	w.expect("/up", "417-retry-ok certain", "body-withheld-reuse certain").
		see("PUT 201 sent 5", "PUT expect 417 sent 0 same-connection")
	talk(w.t, asks, refuses, repeats, body, created)
	w.expect("/refuse/again-close", "417-retry-ok likely").
		see("PUT 201 sent 1500000", "PUT expect 417 close sent 0 new-connection")
	w.curl(w.scripted, "/refuse/again-close")
	w.curl(w.scripted, "/refuse/again-close", "-H", "Expect:")
	w.expect("/invite/curl").see("PUT expect 100 201 sent 1500000")
	w.curl(w.scripted, "/invite/curl")
	w.expect("/silent/curl", "expect-timeout certain", "no-100 certain").see("PUT expect 201 sent 1500000")
	w.curl(w.scripted, "/silent/curl")
	w.expect("/silent/go", "expect-timeout certain", "no-100 certain").see("PUT expect 201 sent 20000")
	w.put(w.scripted, "/silent/go")
	w.expect("/deny/go", "waste-rejected certain", "early-final-no-close certain").see("PUT expect 403 sent 20000")
	w.put(w.scripted, "/deny/go")
	w.expect("/go/up").see("PUT expect 100 201 sent 1500000")
	w.curl(w.golang, "/go/up")
	w.expect("/go/close").see("PUT expect 100 201 close sent 1500000")
	w.curl(w.golang, "/go/close", "-H", "Connection: close")
	w.expect("/go/deny", "saved-by-expect certain", "body-withheld-close certain").see("PUT expect 403 close sent 0")
	w.curl(w.golang, "/go/deny")
	w.expect("/go/put", "expect-tiny certain").see("PUT expect 100 201 sent 20000")
	w.put(w.golang, "/go/put")
	w.talkToNginx()
	w.put(w.golang, lastWords)
}

// talkToNginx repeats a request where nginx still wants the body of the first:
// what it makes of the second is for its version to choose.
func (w *world) talkToNginx() {
	if w.nginx == "" {
		return
	}
	w.expect("/nginx/up").see("PUT expect 100 201 sent 1500000")
	w.curl(w.nginx, "/nginx/up")
	w.expect("/nginx/refuse", "417-for-100-continue certain", "early-final-no-close certain").see("PUT ", "PUT expect 417 sent 0 ")
	w.curl(w.nginx, "/nginx/refuse")
}

// expect notes which rules are to fire on requests for a target; none is none.
func (w *world) expect(target string, rules ...string) *want {
	w.want = append(w.want, &want{target: target, rules: rules})
	return w.want[len(w.want)-1]
}

// see notes how the story of each of its requests begins, in the order of the
// alphabet.
func (w *want) see(lines ...string) { w.lines = lines }

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
