package engine

import (
	"testing"

	"expectscope/capture"
	"expectscope/capture/script"
)

// A capture that holds every packet twice, as that of a mirror port may, says what one says that holds each once.
func TestCapturedTwice(t *testing.T) {
	for name, text := range conversations(t) {
		t.Run(name, func(t *testing.T) {
			once := parsed(t, text).Packets(script.Options{})
			var twice []capture.Packet
			for _, p := range once {
				again := p
				again.Time += 2000
				twice = append(twice, p, again)
			}
			want, _ := analyze(t, &tampered{packets: once}, Options{All: true, Crash: true})
			got, _ := analyze(t, &tampered{packets: twice}, Options{All: true, Crash: true})
			if got.findingLines() != want.findingLines() {
				t.Errorf("twice:\n%sonce:\n%s", got.findingLines(), want.findingLines())
			}
		})
	}
}
