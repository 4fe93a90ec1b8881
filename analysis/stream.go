package analysis

import (
	"fmt"

	"expectscope/reassembly"
)

// A StreamReset is the end of an HTTP/2 stream before its time: a RST_STREAM frame (RFC 9113, Section 6.4), or a GOAWAY
// frame that leaves the stream out (Section 6.8).
type StreamReset struct {
	// Dir is the direction the frame travelled in.
	Dir reassembly.Dir
	// Code is its error code (RFC 9113, Section 7).
	Code uint32
	// NotProcessed: the server did nothing of the request and it can be repeated (Section 8.7). GoAway: that was a GOAWAY.
	NotProcessed, GoAway bool
	At                   reassembly.Mark
}

// String is the name of the error code (RFC 9113, Section 7), or its number.
func (r StreamReset) String() string {
	names := [...]string{
		"NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED", "FRAME_SIZE_ERROR",
		"REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM", "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
	}
	if r.Code < uint32(len(names)) {
		return names[r.Code]
	}
	return fmt.Sprintf("0x%x", r.Code)
}

// HTTP2 tells whether the request is HTTP/2. One that asked for HTTP/2 and was answered in it is not.
func (x *Exchange) HTTP2() bool { return x.Request.Version == "HTTP/2" }

// ShortStream tells whether an HTTP/2 request was ended with other than its declared content length (RFC 9113,
// Section 8.1.1).
func (x *Exchange) ShortStream() bool {
	b := &x.ReqBody
	return b.Framing == FramingH2 && b.Complete && b.Declared >= 0 && b.Sent != b.Declared
}

// ResetBy is how the host that sends in direction d reset the exchange's HTTP/2 stream, nil when it did not.
func (x *Exchange) ResetBy(d reassembly.Dir) *StreamReset {
	rs := x.Sequel().Resets
	for i := range rs {
		if rs[i].Dir == d {
			return &rs[i]
		}
	}
	return nil
}

// NotProcessed tells whether the server said that it did nothing of the request: REFUSED_STREAM, or a GOAWAY that leaves
// it out. To repeat it is safe, and it was not refused (RFC 9113, Section 8.7).
func (x *Exchange) NotProcessed() bool {
	for _, r := range x.Sequel().Resets {
		if r.NotProcessed {
			return true
		}
	}
	return false
}
