package survey

import (
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestHabitsOfWritingDisappear(t *testing.T) {
	for _, tt := range []struct{ habit, words, want string }{
		{"full width", "Ｇｏｏｄ ｗｏｒｋ，１００％", "Good work, 100%"},
		{"spaces of every kind", "a\u00a0 b\u3000c\td\r\n\ne", "a b c d e"},
		{"invisible characters", "a\u200bb\ufeffc\u2060d\u202ee", "abcde"},
		{"emoji", "great 👍🏽 work 👩‍👩‍👧 1️⃣ ❤️ ☺", "great work 1"},
		{"only emoji", "👍👍", ""},
		{"repeated marks", "really???!! yes!!! well... ok", "really? yes! well. ok"},
		{"a final stop", "done.", "done"},
		{"a final Chinese stop", "完成。。。", "完成"},
		{"a question keeps its mark", "为什么？？", "为什么？"},
		{"narrow marks in Chinese", "很好,但是 太慢了!希望改进.谢谢", "很好，但是太慢了！希望改进。谢谢"},
		{"marks after a quote", "他说:“很好”.我同意", "他说：\"很好\"。我同意"},
		{"spaces between Chinese and Latin", "用 Go 写 的 服务", "用Go写的服务"},
		{"waves", "好的~~~", "好的"},
		{"quotes and dashes", "“a” ‘b’ 「c」 — d – e", "\"a\" 'b' \"c\" - d - e"},
		{"ideographic comma", "快、准、稳", "快，准，稳"},
		{"decimals, times and addresses stay", "3.5 at 12:30, 1,200 via https://a.b/c", "3.5 at 12:30, 1,200 via https://a.b/c"},
		{"decomposed letters", "cafe\u0301", "café"},
		{"no space after a comma", "yes,but no , really", "yes, but no, really"},
		{"leading punctuation", "...well", "well"},
		{"degrees stay", "38°C", "38°C"},
		{"rare characters stay", "𠮷野家", "𠮷野家"},
		{"broken UTF-8", "a\xffb", "ab"},
	} {
		if got := Normalise(tt.words); got != tt.want {
			t.Errorf("%s: %q became %q, want %q", tt.habit, tt.words, got, tt.want)
		}
	}
}

func TestNormalisingTwiceChangesNothing(t *testing.T) {
	alphabet := rapid.OneOf(
		rapid.Rune(),
		rapid.RuneFrom([]rune(" .,!?;:~。，！？；：、…\"'“”()（）\u0301\u0323\u200d\u3000\n")),
		rapid.RuneFrom([]rune("ab1汉字éﾊﾟ가ﷺ½①㎏👍🏽")),
	)
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.StringOf(alphabet).Draw(t, "words")
		once := Normalise(words)
		if again := Normalise(once); again != once || !utf8.ValidString(once) {
			t.Fatalf("%q became %q and then %q", words, once, again)
		}
	})
}
