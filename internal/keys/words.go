package keys

import (
	"crypto/sha256"
	"strings"
)

// FingerprintWords is how many words [Words] returns: 128 bits, which nobody can
// meet with another file.
const FingerprintWords = 16

// Words returns the first half of a digest as words to read out on the
// telephone, a byte a word. Describing words and things take turns, so that two
// words in each other's place, or one left out, are heard.
//
// Two people compare the words of a file that each has before it; words that
// came with the file prove nothing.
func Words(digest [sha256.Size]byte) []string {
	lists := [2][]string{strings.Fields(describingWords), strings.Fields(thingWords)}
	words := make([]string, FingerprintWords)
	for i := range words {
		words[i] = lists[i%2][digest[i]]
	}
	return words
}

// WordLines returns the words of a digest in lines of four, as they are shown.
func WordLines(digest [sha256.Size]byte) []string {
	words := Words(digest)
	var lines []string
	for i := 0; i < len(words); i += 4 {
		lines = append(lines, strings.Join(words[i:i+4], " "))
	}
	return lines
}

// Digest returns SHA-256 of the key as it is written, NAME+HASH+KEY: what its
// fingerprint in words is of.
func (p Public) Digest() [sha256.Size]byte { return sha256.Sum256([]byte(p)) }
