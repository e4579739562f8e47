package cli

import (
	"cmp"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Terminal returns the width of w in columns if it is a terminal of this process.
// It is what [Env] has outside of tests.
func Terminal(w io.Writer) (width int, ok bool) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width <= 0 { // a terminal that does not know its size
		return 80, true
	}
	return width, true
}

// pictureWidth is the width of a picture that goes to a file or a pipe.
const pictureWidth = 100

// terminalPicture says what the output can show. A file or a pipe gets UTF-8
// without emphasis; a terminal what its environment promises.
func terminalPicture(env Env) pictureOptions {
	width, ok := env.Terminal(env.Out)
	if !ok {
		return pictureOptions{Width: pictureWidth}
	}
	return pictureOptions{
		Width:    width,
		ASCII:    !utf8Locale(env.Getenv),
		Emphasis: env.Getenv("NO_COLOR") == "" && env.Getenv("TERM") != "dumb",
	}
}

// utf8Locale reports whether the locale is one of UTF-8, by POSIX's order of
// variables. No locale at all, as on Windows, counts as UTF-8.
func utf8Locale(getenv func(string) string) bool {
	locale := strings.ToLower(cmp.Or(getenv("LC_ALL"), getenv("LC_CTYPE"), getenv("LANG")))
	return locale == "" || strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
}
