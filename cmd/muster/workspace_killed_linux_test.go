package main

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"muster/internal/config"
)

// killed runs muster as a process of its own by the clock of the hosting, kills it
// after a while, and reports whether it was faster.
func (c *hosting) killed(after time.Duration, args ...string) (done bool) {
	c.t.Helper()
	clock := c.at("clock.txt")
	check(c.t, os.WriteFile(clock, []byte(time.Unix(c.clock.Load(), 0).UTC().Format(time.RFC3339)+"\n"), 0o600))
	cmd := exec.Command("muster", args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.Env = append(os.Environ(), clockVariable+"="+clock)
	check(c.t, cmd.Start())
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	err := cmd.Wait()
	if err != nil && cmd.ProcessState.Exited() {
		c.t.Fatalf("%v: %v\n%s", args, err, &said)
	}
	return err == nil
}

// rounds spreads as many kills over the time that a command takes.
func killRounds(took time.Duration) []time.Duration {
	n := 8
	if long() {
		n = 60
	}
	all := make([]time.Duration, n)
	for i := range all {
		all[i] = took * time.Duration(i+1) / time.Duration(n)
	}
	return all
}

// An import that is killed, wherever it is, is there as a whole or not at all.
func TestWorkspaceImportKilled(t *testing.T) {
	t.Parallel()
	c := &hosting{t: t, dir: t.TempDir(), printed: new(buffer)}
	c.clock.Store(hostingBegins)
	lock := c.workspaceLock("ws", "Ostmere")
	c.must(append([]string{"workspace", "load", "--framework", "muster-core", "--cycle", "2027"}, lock...)...)
	exported := func(name string) [][]string {
		t.Helper()
		path := c.at(name)
		c.must(append([]string{"workspace", "export", "--survey", "2027/muster-core", "--out", path}, lock...)...)
		body, err := os.ReadFile(path)
		check(t, err)
		rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))).ReadAll()
		check(t, err)
		return rows
	}
	column := func(rows [][]string, name string) int {
		for i, id := range rows[0] {
			if id == name {
				return i
			}
		}
		t.Fatalf("no column %s", name)
		return 0
	}
	write := func(rows [][]string, round int) string {
		level, note := column(rows, "level"), column(rows, "note")
		for _, row := range rows[1:] {
			row[level], row[note] = fmt.Sprint(round%5), fmt.Sprintf("PLANTED %d", round)
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		check(t, w.WriteAll(rows))
		path := c.at(fmt.Sprintf("in-%d.csv", round))
		check(t, os.WriteFile(path, b.Bytes(), 0o600))
		return path
	}
	rows := exported("out-0.csv")
	start := time.Now()
	if !c.killed(time.Minute, append([]string{"workspace", "import", write(rows, 1)}, lock...)...) {
		t.Fatal("not done within a minute")
	}
	last, whole, none, kills := 1, 0, 0, 0
	for i, after := range killRounds(time.Since(start)) {
		round := i + 2
		done := c.killed(after, append([]string{"workspace", "import", write(exported(fmt.Sprintf("out-%d.csv", round)), round)}, lock...)...)
		if !done {
			kills++
		}
		found := make(map[string]int)
		now := exported(fmt.Sprintf("after-%d.csv", round))
		for _, row := range now[1:] {
			found[row[column(now, "level")]+" "+row[column(now, "note")]]++
		}
		of := func(round int) string { return fmt.Sprintf("%d PLANTED %d", round%5, round) }
		switch {
		case found[of(round)] == len(now)-1:
			last, whole = round, whole+1
		case !done && found[of(last)] == len(now)-1:
			none++
		default:
			t.Fatalf("round %d, killed after %v, done %v: %v", round, after, done, found)
		}
	}
	if kills == 0 {
		t.Error("every import was faster than its kill")
	}
	t.Logf("%d kills, %d imports there as a whole, %d not at all", kills, whole, none)
	c.nothingInClear("ws")
}

// A sealing that is killed, wherever it is, leaves no file that the workspace has
// not recorded, no half a file, and no number that is used twice.
func TestWorkspaceSealKilled(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	lock := c.workspaceLock(filepath.Join("members", memberName(3)), memberName(3))
	c.must(append([]string{"workspace", "load", "--charter", c.at("charter.json"), "--framework", lights}, lock...)...)
	answers := "id,revision,level,note\nnow/lights/L1.1,0,1,PLANTED\nnow/lights/L1.2,0,2,\nnow/lights/L2.1,0,3,\n"
	check(t, os.WriteFile(c.at("in.csv"), []byte(answers), 0o600))
	c.must(append([]string{"workspace", "import", c.at("in.csv")}, lock...)...)
	seal := func(after time.Duration, name string) bool {
		return c.killed(after, append([]string{"workspace", "seal", "--survey", "now/lights", "--out", c.at("sealed", name)}, lock...)...)
	}
	check(t, os.Mkdir(c.at("sealed"), 0o700))
	start := time.Now()
	if !seal(time.Minute, "0.json") {
		t.Fatal("not done within a minute")
	}
	files, recorded, kills := 0, 0, 0
	for i, after := range killRounds(time.Since(start)) {
		if !seal(after, fmt.Sprintf("%d.json", i+1)) {
			kills++
		}
		files, recorded = c.checkSealed(lock)
		// What is recorded has its file in the folder: asking how far it is finished it.
		kept, err := filepath.Glob(c.at("members", memberName(3), "sealed-*.json"))
		check(t, err)
		left, err := filepath.Glob(c.at("members", memberName(3), "*.part"))
		check(t, err)
		if len(kept) != recorded || len(left) > 0 {
			t.Errorf("killed after %v: %d are recorded, %d lie in the folder, and %v besides", after, recorded, len(kept), left)
		}
	}
	if kills == 0 {
		t.Error("every sealing was faster than its kill")
	}
	c.must(append([]string{"workspace", "seal", "--survey", "now/lights", "--out", c.at("sealed", "last.json")}, lock...)...)
	if f, r := c.checkSealed(lock); f != files+1 || r != recorded+1 {
		t.Errorf("%d files and %d records before, %d and %d after one more", files, recorded, f, r)
	}
	t.Logf("%d kills, %d files, %d recorded", kills, files, recorded)
	c.nothingInClear(filepath.Join("members", memberName(3)), "sealed")
}

// While something is sealed in a folder nothing else is, whichever command asks for it:
// a number is used once.
func TestSubmitSealWaits(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	dir := c.at("members", memberName(3))
	sealing, err := config.LockFile(filepath.Join(dir, "sealing.lock"), "busy")
	check(t, err)
	seal := []string{"submit", "seal", "--dir", dir, "--charter", c.at("charter.json"), "--answers", c.at("none.csv"), "--out", c.at("sealed.json")}
	c.refuses(1, "something is being sealed in this folder at this moment", seal...)
	check(t, sealing.Close())
	c.refuses(2, "none.csv", append(seal, "--framework", lights)...)
}

// A sealing that stopped after it was recorded is finished with its receipt, and has its
// number alone: a file whose number another receipt has does not get the name of one
// that may leave.
func TestWorkspaceSealFinished(t *testing.T) {
	t.Parallel()
	c := newHosting(t)
	lock := c.workspaceLock(filepath.Join("members", memberName(3)), memberName(3))
	c.must(append([]string{"workspace", "load", "--charter", c.at("charter.json"), "--framework", lights}, lock...)...)
	check(t, os.WriteFile(c.at("in.csv"), []byte("id,revision,level\nnow/lights/L1.1,0,1\nnow/lights/L1.2,0,2\nnow/lights/L2.1,0,3\n"), 0o600))
	c.must(append([]string{"workspace", "import", c.at("in.csv")}, lock...)...)
	check(t, os.Mkdir(c.at("sealed"), 0o700))
	seal := func(name string) {
		c.must(append([]string{"workspace", "seal", "--survey", "now/lights", "--out", c.at("sealed", name)}, lock...)...)
	}
	status := func() { c.must(append([]string{"workspace", "status"}, lock...)...) }
	dir := c.at("members", memberName(3))
	file := filepath.Join(dir, "sealed-now_lights-1.json")
	seal("1.json")
	whole, err := os.ReadFile(file)
	check(t, err)
	receipts, err := filepath.Glob(filepath.Join(dir, "sealed", "*-1.json*"))
	check(t, err)
	if len(receipts) != 2 {
		t.Fatalf("the receipt and its note: got %v", receipts)
	}
	var kept [2][]byte
	for i, path := range receipts {
		kept[i], err = os.ReadFile(path)
		check(t, err)
	}
	// stopped makes it what a machine leaves that stops once the sealing is recorded.
	stopped := func() {
		t.Helper()
		check(t, os.Rename(file, file+".part"))
		for _, path := range receipts {
			check(t, os.Remove(path))
		}
	}

	for half := range 2 { // neither, and the note alone
		stopped()
		if half == 1 {
			check(t, os.WriteFile(receipts[1], kept[1], 0o600))
		}
		status()
		for i, path := range append(receipts, file) {
			body, err := os.ReadFile(path)
			check(t, err)
			if want := append(kept[:], whole)[i]; !bytes.Equal(body, want) {
				t.Errorf("%s is another than was sealed", path)
			}
		}
	}

	stopped()
	check(t, os.WriteFile(receipts[0], []byte("another"), 0o600))
	status()
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a second file with the number 1 has a name: %v", err)
	}
	seal("2.json")
	if left, err := os.ReadFile(file + ".part"); err != nil || !bytes.Equal(left, whole) {
		t.Errorf("the file that cannot leave is gone: %v", err)
	}
	c.checkSealed(lock)
}

// workspaceLock makes a workspace and returns the flags that open it.
func (c *hosting) workspaceLock(dir, member string) []string {
	c.t.Helper()
	identity := c.at("workspace-identity")
	check(c.t, os.WriteFile(identity, []byte("AGE-SECRET-KEY-147MKZWDA4GH0X2YPFS39Y83HEHDDW4KHAXM6YQLMAQFPGPWPG9SQRPRYVS\n"), 0o600))
	c.must("workspace", "init", c.at(dir), "--member", member, "--identity", identity)
	return []string{"--dir", c.at(dir), "--identity", identity}
}

// checkSealed compares the sealed files with what the workspace recorded.
func (c *hosting) checkSealed(lock []string) (files, recorded int) {
	c.t.Helper()
	return c.checkSealedIn(lock, "*.json")
}

// checkSealedIn compares those of them that match a pattern.
func (c *hosting) checkSealedIn(lock []string, pattern string) (files, recorded int) {
	c.t.Helper()
	var status struct {
		Surveys []struct {
			Sealings int `json:"sealings"`
		} `json:"surveys"`
	}
	check(c.t, json.Unmarshal([]byte(c.must(append([]string{"workspace", "status", "--json"}, lock...)...)), &status))
	recorded = status.Surveys[0].Sealings
	paths, err := filepath.Glob(c.at("sealed", pattern))
	check(c.t, err)
	used := make(map[int]string)
	for _, path := range paths {
		body, err := os.ReadFile(path)
		check(c.t, err)
		var file struct {
			Receipt string `json:"receipt"`
		}
		check(c.t, json.Unmarshal(body, &file)) // it is whole
		receipt, err := base64.RawURLEncoding.DecodeString(file.Receipt)
		check(c.t, err)
		var of struct {
			Sequence int `json:"seq"`
		}
		check(c.t, json.Unmarshal(receipt, &of))
		if of.Sequence < 1 || of.Sequence > recorded {
			c.t.Errorf("%s is submission %d, and %d are recorded", path, of.Sequence, recorded)
		}
		if other := used[of.Sequence]; other != "" {
			c.t.Errorf("%s and %s have the number %d", other, path, of.Sequence)
		}
		used[of.Sequence] = path
	}
	return len(paths), recorded
}

// nothingInClear looks in every file of these folders for the planted note.
func (c *hosting) nothingInClear(dirs ...string) {
	c.t.Helper()
	seen := 0
	for _, dir := range dirs {
		check(c.t, filepath.WalkDir(c.at(dir), func(path string, entry os.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			seen++
			body, err := os.ReadFile(path)
			if strings.Contains(string(body), "PLANTED") {
				c.t.Errorf("%s holds the note in clear", path)
			}
			return err
		}))
	}
	if seen == 0 {
		c.t.Error("no files were looked at")
	}
}
