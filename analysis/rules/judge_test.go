package rules

import "testing"

// Most exchanges with Expect are in order; asking all rules about one has to stay cheap.
func BenchmarkJudgeInOrder(b *testing.B) {
	s := upload(5000, "User-Agent: curl/8.5.0").says(10, 100, headLen).body(12, 5000, 50).says(20, 201, headLen+5000)
	b.ReportAllocs()
	for b.Loop() {
		Judge(&s.Case)
	}
}

func BenchmarkJudgeWorked(b *testing.B) {
	s := worked()
	b.ReportAllocs()
	for b.Loop() {
		Judge(&s.Case)
	}
}

func TestJudgeInOrderIsCheap(t *testing.T) {
	if racing {
		t.Skip("the race detector makes variables escape that otherwise do not")
	}
	s := upload(5000, "User-Agent: curl/8.5.0").says(10, 100, headLen).body(12, 5000, 50).says(20, 201, headLen+5000)
	if got := testing.AllocsPerRun(100, func() { Judge(&s.Case) }); got > 8 {
		t.Errorf("%v allocations to find nothing, want at most 8", got)
	}
}
