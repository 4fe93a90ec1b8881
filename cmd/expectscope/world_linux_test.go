package main

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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

// lastWords are in the last request, which nobody reports: what tcpdump wrote of
// it is of no matter.
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
	// Where curl repeats is for its version to choose.
	w.expect("/refuse/curl", "417-for-100-continue certain").
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
	talk(w.t, "> GET "+lastWords+" HTTP/1.1 | Host: a", created)
}

// talkToNginx repeats a request where nginx still wants the body of the first:
// what it makes of the second is for its version to choose.
func (w *world) talkToNginx() {
	if w.nginx == "" {
		return
	}
	// It takes Expect off and answers 100 itself, and both hops are on this loopback.
	w.expect("/nginx/up", "hop-100-own likely", "hop-expect-removed likely").
		see("PUT 201 ", "PUT expect 100 201 sent 1500000")
	w.curl(w.nginx, "/nginx/up")
	w.expect("/nginx/named", "hop-100-own certain", "hop-expect-removed certain").
		see("PUT 201 ", "PUT expect 100 201 sent 1500000")
	w.curl(w.nginx, "/nginx/named", "-H", "X-Request-ID: 7e4f")
	w.expect("/nginx/refuse", "417-for-100-continue certain", "early-final-no-close certain", "hop-417-own likely").
		see("PUT ", "PUT expect 417 sent 0 ")
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
