package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pattern is what content is made of: no line of it can be taken for a head.
const pattern = "abcdefghijklmnopqrstuvwxyz0123456789"

// content reads what an act sends, and its modifiers.
func (a *act) content(text string) error {
	if strings.HasPrefix(text, `"`) {
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return fmt.Errorf("expected bytes in Go's quoting, such as \"a\\r\\n\", not %s", text)
		}
		raw, err := strconv.Unquote(quoted)
		if err != nil || raw == "" {
			return fmt.Errorf("expected bytes in Go's quoting, at least one, not %s", quoted)
		}
		rest, err := a.modifiers(stripComment(" " + text[len(quoted):]))
		if err == nil && rest != "" {
			err = fmt.Errorf("expected modifiers after the quoted bytes, not %q", rest)
		}
		a.kind, a.data = sending, []byte(raw)
		return err
	}
	text, err := a.modifiers(stripComment(text))
	if err != nil {
		return err
	}
	a.kind = sending
	word, args, _ := strings.Cut(text, " ")
	args = strings.TrimSpace(args)
	switch word {
	case "fin", "rst", "ack":
		if args != "" {
			return fmt.Errorf("expected nothing after %s, not %q", word, args)
		}
		a.kind = map[string]kind{"fin": finishing, "rst": resetting, "ack": acking}[word]
		return nil
	case "body":
		n, err := size(args)
		a.data = content(n)
		return err
	case "chunk":
		number, extension, _ := strings.Cut(args, ";")
		n, err := size(strings.TrimSpace(number))
		if extension != "" {
			extension = ";" + extension
		}
		a.data = fmt.Appendf(nil, "%x%s\r\n%s\r\n", n, extension, content(n))
		return err
	case "lastchunk":
		a.data = lines("0", strings.TrimPrefix(args, "|"))
		return nil
	case "h2":
		a.data, err = Frame(args)
		return err
	}
	return a.head(text)
}

// head makes a message head of lines with bars between them.
func (a *act) head(text string) error {
	first, fields, _ := strings.Cut(text, " | ")
	if !strings.Contains(first, "HTTP/") {
		return fmt.Errorf("expected a head with HTTP/, body, chunk, lastchunk, h2, quoted bytes, fin, rst or ack, not %q", first)
	}
	a.data = lines(first, fields)
	return nil
}

// lines ends each line with CRLF and adds the empty line (RFC 9112, Section 2.1).
func lines(first, fields string) []byte {
	b := append([]byte(strings.TrimSpace(first)), "\r\n"...)
	if strings.TrimSpace(fields) != "" {
		for _, f := range strings.Split(fields, " | ") {
			b = append(append(b, strings.TrimSpace(f)...), "\r\n"...)
		}
	}
	return append(b, "\r\n"...)
}

// size reads a number of bytes; underscores may group its digits.
func size(s string) (int, error) {
	n, err := strconv.ParseUint(s, 0, 32)
	if err != nil || n == 0 || n > maxLine {
		return 0, fmt.Errorf("expected a number of bytes from 1 to %d, not %q", maxLine, s)
	}
	return int(n), nil
}

// content is n bytes of the pattern.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = pattern[i%len(pattern)]
	}
	return b
}

// modifiers reads the brackets at the end of a line and returns what is before
// them. A bracket that starts with something else than a word in small letters
// belongs to the content: it may be an IPv6 address.
func (a *act) modifiers(text string) (rest string, err error) {
	for strings.HasSuffix(text, "]") {
		i := strings.LastIndex(text, "[")
		if i < 0 || i > 0 && text[i-1] != ' ' && text[i-1] != ']' {
			break
		}
		word, arg, _ := strings.Cut(text[i+1:len(text)-1], " ")
		if strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" || word == "" {
			break
		}
		if err := a.modifier(word, strings.TrimSpace(arg)); err != nil {
			return "", err
		}
		text = strings.TrimSpace(text[:i])
	}
	return text, nil
}

// modifier reads one bracket.
func (a *act) modifier(word, arg string) error {
	m, ok := &a.mods, false
	if slices.Contains(m.given, word) {
		return fmt.Errorf("expected modifier [%s] once", word)
	}
	m.given = append(m.given, word)
	switch word {
	case "blind":
		m.blind, ok = number(arg, 1, 1<<16)
	case "ack":
		ok = m.acknowledge(arg)
	case "cork":
		m.cork, ok = true, arg == ""
	case "seg":
		m.seg, ok = number(arg, 0, maxPayload)
	case "oneseg":
		m.seg, ok = maxPayload, arg == ""
	case "split":
		for _, s := range strings.Split(arg, ",") {
			var n int
			if n, ok = number(s, 0, maxLine); !ok {
				break
			}
			m.split = append(m.split, n)
		}
	case "lost":
		m.lost, ok = segments(arg)
	case "dup":
		d, err := time.ParseDuration(arg)
		if arg == "" {
			d, err = resendAfter, nil
		}
		m.dup, ok = d, err == nil && d > 0 && d <= time.Hour
	case "late":
		m.late, ok = number(arg, 0, 1<<16)
	case "snap":
		m.snap, ok = number(arg, 0, 1<<16)
	case "ttl":
		m.ttl, ok = number(arg, 0, 255)
	default:
		return fmt.Errorf("expected a modifier such as [blind] or [lost 2-3], not [%s]", word)
	}
	if !ok {
		return fmt.Errorf("modifier [%s] does not take %q", word, arg)
	}
	return nil
}

// number reads a number from 1 to most; an absent one is otherwise, unless that
// is 0.
func number(s string, otherwise, most int) (int, bool) {
	if s == "" {
		return otherwise, otherwise != 0
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 1 && n <= most
}

// segments reads a range of segments; an absent one is all of them.
func segments(s string) (span, bool) {
	if s == "" {
		return span{1, maxSegments}, true
	}
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	a, okA := number(first, 0, maxSegments)
	b, okB := number(last, 0, maxSegments)
	return span{a, b}, okA && okB && a <= b
}

// acknowledge reads the argument of [ack].
func (m *modifiers) acknowledge(arg string) bool {
	switch arg {
	case "prev":
		m.ack = ackPrev
	case "none":
		m.ack = ackNone
	default:
		n, err := strconv.ParseUint(arg, 10, 32)
		m.ack, m.ackOffset = ackAt, uint32(n)
		return err == nil
	}
	return true
}

// cut finds where the act's segments end.
func (a *act) cut() error {
	size := a.mods.seg
	if size == 0 {
		size = a.conn.mss
	}
	if a.kind != sending {
		if len(a.mods.split) > 0 || a.mods.seg > 0 {
			return fmt.Errorf("there is no data to cut")
		}
		return a.mods.lost.within(1)
	}
	if a.mods.seg == maxPayload && len(a.data) > maxPayload {
		return fmt.Errorf("one segment holds at most %d bytes, not %d", maxPayload, len(a.data))
	}
	splits := append(slices.Clone(a.mods.split), len(a.data))
	if !slices.IsSorted(splits) {
		return fmt.Errorf("expected the offsets of [split] in order and below %d", len(a.data))
	}
	begin := 0
	for _, end := range slices.Compact(splits) {
		for ; begin+size < end; begin += size {
			a.ends = append(a.ends, begin+size)
		}
		a.ends = append(a.ends, end)
		begin = end
	}
	return a.mods.lost.within(len(a.ends))
}

// within tells whether there are such segments among n.
func (s span) within(n int) error {
	if s.first > n || s.last > n && s.last != maxSegments {
		return fmt.Errorf("[lost %d-%d]: the line has only %d segments", s.first, s.last, n)
	}
	return nil
}
