package main

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// cycleCommands are what the stories of a whole cycle use besides: real processes
// over loopback, whose clock the story sets.
func cycleCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"clock":    cmdClock,
		"loopback": cmdLoopback,
		"ready":    cmdReady,
		"charter":  cmdCharter,
		"delivers": cmdDelivers,
		"jsonedit": cmdJSONEdit,
		"replace":  cmdReplace,
		"watched":  cmdWatched,

		"keeprequest": cmdKeepRequest,
	}
}

// cmdClock sets the clock of all commands that the story has started and will
// start. A file of its own for one of them makes a clock that is wrong:
// env MUSTER_STORY_CLOCK=FILE.
func cmdClock(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1 || len(args) == 2, "clock TIME [FILE]")
	_, err := time.Parse(time.RFC3339, args[0])
	ts.Check(err)
	path := ts.MkAbs("clock.txt")
	if len(args) == 2 {
		path = ts.MkAbs(args[1])
	} else {
		ts.Setenv(clockVariable, path)
	}
	ts.Check(os.WriteFile(path+".new", []byte(args[0]+"\n"), 0o600))
	ts.Check(os.Rename(path+".new", path)) // who reads it finds the old time or the new
}

// cmdLoopback does what finished does with hosts that can be reached on this
// machine: the folders ostmere and calverra, and in $OSTMERE and $CALVERRA the
// addresses of their operations.
func cmdLoopback(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "loopback CYCLE")
	names := []string{"Ostmere", "Calverra"}
	for _, name := range names {
		dir := strings.ToLower(name)
		served, operations := freePort(ts), freePort(ts)
		muster(ts, "host", "init", dir, "--member", name, "--url", "https://"+served+"/")
		_, port, err := net.SplitHostPort(served)
		ts.Check(err)
		text := ts.ReadFile(filepath.Join(dir, "host.yaml"))
		text = strings.ReplaceAll(text, `":`+port+`"`, `"`+served+`"`)
		text = strings.ReplaceAll(text, "127.0.0.1:9443", operations)
		ts.Check(os.WriteFile(ts.MkAbs(filepath.Join(dir, "host.yaml")), []byte(text), 0o600))
		ts.Setenv(strings.ToUpper(name), operations)
	}
	for _, name := range names {
		muster(ts, "host", "ceremony", "commit", "--dir", strings.ToLower(name), "--cycle", args[0],
			"--leader", filepath.Join("ostmere", "host-card.json"), "--helper", filepath.Join("calverra", "host-card.json"))
	}
	finishCeremony(ts)
}

func freePort(ts *testscript.TestScript) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	defer l.Close()
	return l.Addr().String()
}

// cmdReady waits until hosts are ready, at the addresses of their operations.
func cmdReady(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 1, "ready ADDRESS...")
	for _, address := range args {
		ready := false
		for range 1000 {
			response, err := http.Get("http://" + address + "/readyz")
			if err == nil {
				response.Body.Close()
				if ready = response.StatusCode == http.StatusOK; ready {
					break
				}
			}
			time.Sleep(20 * time.Millisecond)
		}
		if !ready {
			ts.Fatalf("%s is not ready", address)
		}
	}
}

// cmdCharter lets the coordinator propose a charter for so many members, both
// hosts sign it, and puts it where they look for it.
func cmdCharter(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 1, "charter MEMBERS [FLAG...]")
	cmdEnrolled(ts, false, args[:1])
	muster(ts, proposal(ts, "charter.json", args[1:])...)
	for _, dir := range []string{"ostmere", "calverra"} {
		muster(ts, "host", "approve", "charter.json", "--dir", dir, "--yes")
	}
	for _, dir := range []string{"ostmere", "calverra"} {
		for _, name := range []string{"charter.json", "charter.json.sig"} {
			ts.Check(os.WriteFile(ts.MkAbs(filepath.Join(dir, name)), []byte(ts.ReadFile(name)), 0o600))
		}
	}
}

// cmdDelivers seals and uploads the answers in a folder, each file of it as the
// member of that name.
func cmdDelivers(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 2, "delivers ANSWERS MEMBER...")
	for _, name := range args[1:] {
		sealed := filepath.Join("sealed", name+".json")
		ts.Check(os.MkdirAll(ts.MkAbs("sealed"), 0o755))
		muster(ts, "submit", "seal", "--dir", filepath.Join("members", name), "--charter", "charter.json", "--framework", ts.Getenv("SMALL"),
			"--answers", filepath.Join(args[0], name+".csv"), "--out", sealed)
		muster(ts, "submit", "upload", sealed, "--charter", "charter.json")
	}
}

// cmdJSONEdit replaces a member of a JSON object by other JSON, in canonical form
// as far as this test needs it: keys sorted, nothing escaped that need not be.
func cmdJSONEdit(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 3, "jsonedit FILE MEMBER JSON")
	var object map[string]json.RawMessage
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &object))
	if _, ok := object[args[1]]; !ok {
		ts.Fatalf("%s has no %s", args[0], args[1])
	}
	object[args[1]] = json.RawMessage(args[2])
	body, err := json.Marshal(object)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), body, 0o644))
}

// cmdReplace replaces the first of a text in a file.
func cmdReplace(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 3, "replace FILE OLD NEW")
	body := ts.ReadFile(args[0])
	if !strings.Contains(body, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(body, args[1], args[2], 1)), 0o644))
}

// cmdKeepRequest deletes the answers of collections from the coordinator's
// folder, as a machine would that died before it had them.
func cmdKeepRequest(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 1, "keeprequest DIR")
	answers, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*.answer.json"))
	ts.Check(err)
	if len(answers) == 0 {
		ts.Fatalf("%s holds no answer", args[0])
	}
	for _, path := range answers {
		ts.Check(os.Remove(path))
	}
}
