package script

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// clientPreface is RFC 9113, Section 3.4; an empty SETTINGS frame follows it.
const clientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// frameTypes are those of RFC 9113, Section 6, by their numbers.
var frameTypes = []string{
	"DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION",
}

// errorCodes are those of RFC 9113, Section 7, by their numbers.
var errorCodes = []string{
	"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
	"REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
}

// An h2Frame is one as it is written.
type h2Frame struct {
	typ     string
	flags   byte
	stream  uint32
	numbers []uint32 // behind the stream
	code    uint32
	pad     int // -1: not padded
	fields  []byte
}

// Frame gives the octets of a frame of HTTP/2 written as in the language, from behind the word h2.
func Frame(text string) ([]byte, error) {
	head, fields, _ := strings.Cut(text+" ", " | ")
	words := strings.Fields(head)
	if len(words) == 0 {
		return nil, fmt.Errorf("expected a frame's type behind h2")
	}
	if words[0] == "preface" && len(words) == 1 {
		return append([]byte(clientPreface), 0, 0, 0, 4, 0, 0, 0, 0, 0), nil
	}
	f := h2Frame{typ: words[0], pad: -1}
	if f.typ == "HEADERS" || f.typ == "PUSH_PROMISE" || f.typ == "CONTINUATION" {
		f.flags = 0x4 // END_HEADERS
	}
	if err := f.words(words[1:]); err != nil {
		return nil, err
	}
	for line := range strings.SplitSeq(fields, " | ") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := f.field(line); err != nil {
			return nil, err
		}
	}
	payload, err := f.payload()
	if err != nil {
		return nil, err
	}
	if f.pad >= 0 {
		f.flags |= 0x8
		payload = append(append([]byte{byte(f.pad)}, payload...), make([]byte, f.pad)...)
	}
	n := len(payload)
	b := append(make([]byte, 0, 9+n), byte(n>>16), byte(n>>8), byte(n), byte(slices.Index(frameTypes, f.typ)), f.flags)
	return append(binary.BigEndian.AppendUint32(b, f.stream), payload...), nil
}

// words reads what stands between the type and the fields.
func (f *h2Frame) words(words []string) error {
	numbered := false
	for _, w := range words {
		pad, padded := strings.CutPrefix(w, "pad=")
		switch n, err := strconv.ParseUint(w, 0, 31); {
		case err == nil && !numbered:
			f.stream, numbered = uint32(n), true
		case err == nil:
			f.numbers = append(f.numbers, uint32(n))
		case w == "END_STREAM", w == "ACK":
			f.flags |= 0x1
		case w == "MORE":
			f.flags &^= 0x4
		case padded:
			n, err := strconv.ParseUint(pad, 10, 8)
			if err != nil {
				return fmt.Errorf("expected pad= with a number from 0 to 255, not %q", w)
			}
			f.pad = int(n)
		default:
			code := slices.Index(errorCodes, w)
			if code < 0 {
				return fmt.Errorf("expected a number, END_STREAM, ACK, MORE, pad= or an error code, not %q", w)
			}
			f.code = uint32(code)
		}
	}
	return nil
}

// field codes a field line as RFC 7541 has it: as a literal that is not indexed, one that is, or an index.
func (f *h2Frame) field(line string) error {
	if index, ok := strings.CutPrefix(line, "#"); ok {
		n, err := strconv.ParseUint(index, 10, 8)
		if err != nil || n == 0 || n >= 127 {
			return fmt.Errorf("expected an index from 1 to 126, not %q", line)
		}
		f.fields = append(f.fields, 0x80|byte(n))
		return nil
	}
	kind := byte(0x00)
	if rest, ok := strings.CutPrefix(line, "+"); ok {
		kind, line = 0x40, rest
	}
	colon := strings.Index(line[min(1, len(line)):], ":") + 1
	if colon < 1 {
		return fmt.Errorf("expected a field such as :path: /up, not %q", line)
	}
	name, value := line[:colon], strings.TrimSpace(line[colon+1:])
	f.fields = append(f.fields, kind)
	f.fields = h2String(h2String(f.fields, name), value)
	return nil
}

// h2String is RFC 7541, Section 5.2, without Huffman codes.
func h2String(b []byte, s string) []byte {
	n := len(s)
	if n < 127 {
		return append(append(b, byte(n)), s...)
	}
	b = append(b, 127)
	for n -= 127; n >= 128; n >>= 7 {
		b = append(b, byte(n)|128)
	}
	return append(append(b, byte(n)), s...)
}

// payload is what the frame carries.
func (f *h2Frame) payload() ([]byte, error) {
	want := 0
	if f.typ == "DATA" || f.typ == "PUSH_PROMISE" || f.typ == "WINDOW_UPDATE" {
		want = 1
	}
	if len(f.numbers) != want {
		return nil, fmt.Errorf("expected %d numbers behind the stream's in %s, not %d", want, f.typ, len(f.numbers))
	}
	switch f.typ {
	case "DATA":
		if f.numbers[0] >= 1<<24-256 {
			return nil, fmt.Errorf("a frame holds at most 2^24-1 octets, not %d", f.numbers[0])
		}
		return content(int(f.numbers[0])), nil
	case "HEADERS", "CONTINUATION":
		return f.fields, nil
	case "PUSH_PROMISE":
		return append(binary.BigEndian.AppendUint32(nil, f.numbers[0]), f.fields...), nil
	case "PRIORITY":
		return make([]byte, 5), nil
	case "RST_STREAM":
		return binary.BigEndian.AppendUint32(nil, f.code), nil
	case "SETTINGS":
		return nil, nil
	case "PING":
		return make([]byte, 8), nil
	case "GOAWAY": // its number is the last stream that was processed; it belongs to none itself
		last := f.stream
		f.stream = 0
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, last), f.code), nil
	case "WINDOW_UPDATE":
		return binary.BigEndian.AppendUint32(nil, f.numbers[0]), nil
	}
	return nil, fmt.Errorf("expected preface or a frame's type such as HEADERS, not %q", f.typ)
}
