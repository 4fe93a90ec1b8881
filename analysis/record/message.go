package record

import "expectscope/analysis"

// fill makes the strings of a message from its head.
func fill(m *analysis.Message, text []byte, request bool) {
	m.Head = string(text)
	line := analysis.FirstLine(m.Head)
	if request { // a response's fields are asked for seldom: its head is read then
		m.Fields = analysis.ParseFields(m.Head)
		m.Method, m.Target, m.Version = analysis.SplitRequestLine(line)
		return
	}
	m.Version, m.Reason = analysis.SplitStatusLine(line)
}

func message(h *analysis.Head) analysis.Message {
	m := analysis.Message{Status: h.Status, First: h.First, Last: h.Last, TTL: h.TTL, Close: h.Close, EndStream: h.EndStream}
	fill(&m, h.Text, false)
	return m
}
