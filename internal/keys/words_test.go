package keys_test

import (
	"slices"
	"strings"
	"testing"

	"muster/internal/keys"
)

// wordLists returns both lists by asking for the words of every byte.
func wordLists() (lists [2][]string) {
	for b := range 256 {
		var digest [32]byte
		for i := range digest {
			digest[i] = byte(b)
		}
		words := keys.Words(digest)
		lists[0], lists[1] = append(lists[0], words[0]), append(lists[1], words[1])
	}
	return lists
}

func TestWordsAreToldApart(t *testing.T) {
	t.Parallel()
	lists := wordLists()
	all := slices.Concat(lists[0], lists[1])
	if len(all) != 512 {
		t.Fatalf("%d words", len(all))
	}
	for i, a := range all {
		if len(a) < 3 || len(a) > 9 || strings.Trim(a, "abcdefghijklmnopqrstuvwxyz") != "" {
			t.Errorf("%q is not 3 to 9 small letters", a)
		}
		for _, b := range all[:i] {
			if d := editDistance(a, b); d < 2 {
				t.Errorf("%s and %s differ by %d letters", a, b, d)
			}
		}
	}
	for i, list := range lists {
		if !slices.IsSorted(list) {
			t.Errorf("list %d is not alphabetical", i)
		}
	}
}

// Nobody is to read anything out that hurts: about people, their looks, faith,
// health or origin, death, weapons and war.
func TestWordsHurtNobody(t *testing.T) {
	t.Parallel()
	refused := strings.Fields(`black white fat ugly stupid dumb crazy mad sick blind deaf lame dead death kill gun bomb war
		attack enemy hostile devil hell god holy sexy naked nude drunk slave master master race foreign alien gay straight
		poor dirty filthy bloody rotten evil wicked weak idiot fool pig dog bitch ass cock tit queer cripple savage nazi`)
	lists := wordLists()
	for _, word := range slices.Concat(lists[0], lists[1]) {
		if slices.Contains(refused, word) {
			t.Errorf("%s is in the lists", word)
		}
	}
}

func TestWordsCoverHalfOfTheDigest(t *testing.T) {
	t.Parallel()
	var zero [32]byte
	first := keys.Words(zero)
	if len(first) != keys.FingerprintWords || first[0] != "able" || first[1] != "acorn" {
		t.Fatalf("got %v", first)
	}
	for bit := range 128 {
		digest := zero
		digest[bit/8] = 1 << (bit % 8)
		differ := 0
		for i, w := range keys.Words(digest) {
			if w != first[i] {
				differ++
			}
		}
		if differ != 1 {
			t.Errorf("bit %d changes %d words", bit, differ)
		}
	}
	if got := strings.Join(keys.WordLines(zero), " "); got != strings.Join(first, " ") || len(keys.WordLines(zero)) != 4 {
		t.Errorf("lines are %q", got)
	}
}

func TestSwappedWordsAreHeard(t *testing.T) {
	t.Parallel()
	lists := wordLists()
	for _, w := range lists[0] {
		if slices.Contains(lists[1], w) {
			t.Errorf("%s is in both lists", w)
		}
	}
}

func TestEditDistance(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		a, b string
		want int
	}{{"fog", "fog", 0}, {"fog", "frog", 1}, {"frog", "fog", 1}, {"moss", "boss", 1}, {"calm", "clam", 2}, {"", "abc", 3}} {
		if got := editDistance(row.a, row.b); got != row.want {
			t.Errorf("%s, %s: got %d, want %d", row.a, row.b, got, row.want)
		}
	}
}

// editDistance is the number of letters to put in, take out or exchange.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
