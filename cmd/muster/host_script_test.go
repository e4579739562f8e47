package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// hostCommands are what the stories of hosts and charters use besides.
func hostCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"twohosts": cmdTwoHosts,
		"finished": cmdFinished,
		"enrolled": cmdEnrolled,
		"proposed": cmdProposed,
		"flip":     cmdFlip,
		"forge":    cmdForge,

		"refusesproposal": cmdRefusesProposal,
		"samewords":       cmdSameWords,
		"digestof":        cmdDigestOf,
	}
}

func muster(ts *testscript.TestScript, args ...string) string {
	ts.Check(ts.Exec("muster", args...))
	return ts.ReadFile("stdout")
}

// cmdTwoHosts makes the folders ostmere and calverra and lets both commit.
func cmdTwoHosts(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "twohosts CYCLE")
	muster(ts, "host", "init", "ostmere", "--member", "Ostmere", "--url", "https://muster.ostmere.example:8443/")
	muster(ts, "host", "init", "calverra", "--member", "Calverra", "--url", "https://muster.calverra.example/")
	for _, dir := range []string{"ostmere", "calverra"} {
		muster(ts, "host", "ceremony", "commit", "--dir", dir, "--cycle", args[0],
			"--leader", filepath.Join("ostmere", "host-card.json"), "--helper", filepath.Join("calverra", "host-card.json"))
	}
}

var hexDigest = regexp.MustCompile(`[0-9a-f]{64}`)

// cmdFinished does what twohosts does and takes the ceremony to its end. $DIGEST
// is the digest of the seed.
func cmdFinished(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "finished CYCLE")
	cmdTwoHosts(ts, false, args)
	finishCeremony(ts)
}

// finishCeremony takes a ceremony to which both hosts have committed to its end.
func finishCeremony(ts *testscript.TestScript) {
	muster(ts, "host", "ceremony", "reveal", "--dir", "ostmere", "--commitment", filepath.Join("calverra", "commitment.json"))
	muster(ts, "host", "ceremony", "reveal", "--dir", "calverra", "--commitment", filepath.Join("ostmere", "commitment.json"))
	muster(ts, "host", "ceremony", "finish", "--dir", "ostmere", "--reveal", filepath.Join("calverra", "reveal.json"))
	out := muster(ts, "host", "ceremony", "finish", "--dir", "calverra", "--reveal", filepath.Join("ostmere", "reveal.json"))
	ts.Setenv("DIGEST", hexDigest.FindString(out))
}

// cmdEnrolled makes the coordinator's folder and members.csv with both hosts and
// as many other members as are missing.
func cmdEnrolled(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "enrolled MEMBERS")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	muster(ts, "collect", "init", "coordinator", "--name", "Sea of Lights")
	text := "member,key\n"
	for i := range n {
		name := fmt.Sprintf("m%02d", i+1)
		if i < 2 {
			name = []string{"Ostmere", "Calverra"}[i]
		}
		text += muster(ts, "submit", "init", filepath.Join("members", name), "--member", name)
	}
	ts.Check(os.WriteFile(ts.MkAbs("members.csv"), []byte(text), 0o644))
}

// cmdProposed lets the coordinator write a charter from what the other commands
// left, with these flags besides.
func cmdProposed(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 1, "proposed FILE [FLAG...]")
	muster(ts, proposal(ts, args[0], args[1:])...)
}

// nobody is the key of a witness that nobody runs, for charters of stories and tests in
// which no ledger is looked at.
const nobody = "nobody.example+68374353+BBfVcL7pT5DzpWDS0Bv06qmXdXQqa5j16Jr+lrmpGmYi"

// proposal returns the arguments with which the coordinator writes a charter. Unless
// they say otherwise it names $WITNESS, if there is one, and else a witness that nobody
// runs.
func proposal(ts *testscript.TestScript, out string, more []string) []string {
	if !slices.Contains(more, "--witness") && !slices.Contains(more, "--marking") {
		more = append([]string{"--witness", cmp.Or(ts.Getenv("WITNESS"), nobody)}, more...)
	}
	return append([]string{
		"collect", "charter", "--dir", "coordinator", "--framework", ts.Getenv("SMALL"), "--members", "members.csv",
		"--leader", filepath.Join("ostmere", "host-card.json"), "--helper", filepath.Join("calverra", "host-card.json"),
		"--seed-digest", ts.Getenv("DIGEST"), "--opens", "2090-09-01", "--deadline", "2090-09-30", "--wipe", "2091-09-30", "--out", out,
	}, more...)
}

// cmdRefusesProposal changes one flag of a proposal that would pass; it must be
// refused with these words.
func cmdRefusesProposal(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 4, "refusesproposal NAME WORDS FLAG VALUE...")
	if exitCode(ts, ts.Exec("muster", proposal(ts, "charter.json", args[2:])...)) == 0 {
		ts.Fatalf("%s: not refused", args[0])
	}
	if stderr := ts.ReadFile("stderr"); !regexp.MustCompile(args[1]).MatchString(stderr) {
		ts.Fatalf("%s: %s", args[0], stderr)
	}
}

var wordLine = regexp.MustCompile(`(?m)^ +([a-z]+ [a-z]+ [a-z]+ [a-z]+)$`)

// cmdSameWords wants every line of words of one file in another.
func cmdSameWords(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "samewords FILE FILE")
	lines := wordLine.FindAllStringSubmatch(ts.ReadFile(args[0]), -1)
	if len(lines) < 4 {
		ts.Fatalf("%s has no words", args[0])
	}
	other := ts.ReadFile(args[1])
	for _, line := range lines {
		if !strings.Contains(other, line[1]) {
			ts.Fatalf("%s does not hold %q", args[1], line[1])
		}
	}
}

// cmdDigestOf sets $DIGEST_OF to a file's SHA-256.
func cmdDigestOf(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "digestof FILE")
	ts.Setenv("DIGEST_OF", fmt.Sprintf("%x", sha256.Sum256([]byte(ts.ReadFile(args[0])))))
}

// cmdForge flips a bit of the first signature in a note.
func cmdForge(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "forge NOTE")
	lines := strings.SplitAfter(ts.ReadFile(args[0]), "\n")
	head, encoded, _ := strings.Cut(strings.TrimPrefix(strings.TrimSuffix(lines[4], "\n"), "— "), " ")
	signature, err := base64.StdEncoding.DecodeString(encoded)
	ts.Check(err)
	signature[20] ^= 1
	lines[4] = "— " + head + " " + base64.StdEncoding.EncodeToString(signature) + "\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(lines, "")), 0o644))
}

// cmdFlip changes one letter or digit of a file, the first behind a text.
func cmdFlip(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 2, "flip FILE TEXT")
	path := ts.MkAbs(args[0])
	body, err := os.ReadFile(path)
	ts.Check(err)
	at := regexp.MustCompile(regexp.QuoteMeta(args[1])).FindIndex(body)
	if at == nil {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	if i := at[1]; body[i] == 'a' {
		body[i] = 'b'
	} else {
		body[i] = 'a'
	}
	ts.Check(os.WriteFile(path, body, 0o644))
}
