package report

import "expectscope/analysis"

// resets appends how the exchange's stream was reset, where it is HTTP/2.
func (o *objects) resets(x *analysis.Exchange, home int) {
	all := x.Sequel().Resets
	if len(all) == 0 {
		return
	}
	o.key("resets")
	o.begin('[')
	for _, r := range all {
		o.comma()
		o.begin('{')
		if r.Dir == x.Client {
			o.str("by", "client")
		} else {
			o.str("by", "server")
		}
		o.str("code", r.String())
		o.bool("processed", !r.NotProcessed)
		o.packet("packet", "file", r.At.Packet, home)
		o.end('}')
	}
	o.end(']')
}
