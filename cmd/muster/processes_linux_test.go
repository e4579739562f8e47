package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// hostsOf returns the processes of hosts whose folders are below a scratch
// folder, by role.
func hostsOf(t *testing.T, scratch string) map[string]int {
	t.Helper()
	found := make(map[string]int)
	list, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range list {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte(scratch+"/")) {
			continue // gone meanwhile, or somebody else's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		for _, role := range []string{"leader", "helper"} {
			if bytes.Contains(line, []byte("/"+role+"/host.yaml")) {
				found[role] = pid
			}
		}
	}
	return found
}

// within waits until ok, or fails.
func within(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// rehearsal is a demonstration that runs as a process of its own.
type rehearsal struct {
	cmd            *exec.Cmd
	scratch, data  string
	stdout, stderr bytes.Buffer
	ended          chan error
}

func startDemo(t *testing.T, args ...string) *rehearsal {
	t.Helper()
	r := &rehearsal{scratch: t.TempDir(), data: filepath.Join(t.TempDir(), "data"), ended: make(chan error, 1)}
	r.cmd = exec.Command("muster", append([]string{"demo", "--one-cycle", "--json", "--data", r.data}, args...)...)
	r.cmd.Env = append(os.Environ(), "TMPDIR="+r.scratch)
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	t.Cleanup(func() { _ = r.cmd.Process.Kill() })
	return r
}

// hosts waits until both hosts run.
func (r *rehearsal) hosts(t *testing.T) map[string]int {
	t.Helper()
	var hosts map[string]int
	within(t, 20*time.Second, "two hosts", func() bool {
		select {
		case err := <-r.ended:
			t.Fatalf("ended: %v\n%s", err, &r.stderr)
		default:
		}
		hosts = hostsOf(t, r.scratch)
		return len(hosts) == 2
	})
	return hosts
}

// wait waits for the end and returns the exit code.
func (r *rehearsal) wait(t *testing.T) int {
	t.Helper()
	select {
	case err := <-r.ended:
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return exit.ExitCode()
		}
		if err != nil {
			t.Fatal(err)
		}
		return 0
	case <-time.After(60 * time.Second):
		t.Fatal("does not end")
		return 0
	}
}

// Whatever ends a rehearsal ends its hosts.
func TestNoOrphans(t *testing.T) {
	t.Parallel()
	for name, signal := range map[string]syscall.Signal{
		"killed": syscall.SIGKILL, "interrupted": syscall.SIGINT, "terminated": syscall.SIGTERM, "hung up": syscall.SIGHUP, "aborted": syscall.SIGABRT,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			delays := []time.Duration{0, 20 * time.Millisecond, 200 * time.Millisecond}
			if !long() && signal != syscall.SIGKILL {
				delays = delays[1:2]
			}
			for _, after := range delays {
				r := startDemo(t, "--members", "100")
				r.hosts(t)
				time.Sleep(after)
				if err := r.cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
				r.wait(t)
				within(t, 20*time.Second, "no host runs any more", func() bool { return len(hostsOf(t, r.scratch)) == 0 })
			}
		})
	}
}

// The terminal sends Ctrl-C to all processes of its foreground group. The hosts
// are not in it: the rehearsal ends them itself, in order.
func TestHostsStandApart(t *testing.T) {
	t.Parallel()
	r := startDemo(t, "--members", "100")
	own, err := syscall.Getpgid(r.cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	for role, pid := range r.hosts(t) {
		if group, err := syscall.Getpgid(pid); err != nil || group == own {
			t.Errorf("the %s is in the group %d of the rehearsal (%v)", role, group, err)
		}
	}
	if err := r.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := r.wait(t); code != 1 || !strings.HasSuffix(r.stderr.String(), "muster: stopped\n") {
		t.Errorf("exit code %d\n%s", code, &r.stderr)
	}
	if left := names(t, r.scratch); len(left) > 0 {
		t.Errorf("left in the scratch folder: %v", left)
	}
}

func long() bool { return os.Getenv("MUSTER_LONG") == "1" }

// totalsIn reads what was added up, without what names task and roster.
func totalsIn(t *testing.T, dir string) totals {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(dir, "result", "aggregate.json"))
	check(t, err)
	var sum totals
	check(t, json.Unmarshal(body, &sum))
	if sum.Count == 0 {
		t.Fatal("nothing was added up")
	}
	return sum
}

// A host that is killed in mid-cycle is started again and goes on; the totals
// are those of a rehearsal in which nothing happened.
func TestHostKilled(t *testing.T) {
	t.Parallel()
	quiet := filepath.Join(t.TempDir(), "quiet")
	mustRun(t, "demo", "--one-cycle", "--in-process", "--json", "--members", "60", "--data", quiet)
	want := totalsIn(t, quiet)
	delays := []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, 600 * time.Millisecond}
	for i, roles := range [][]string{{"leader"}, {"helper"}, {"leader", "helper"}} {
		name := strings.Join(roles, " and ")
		for j, after := range delays {
			if !long() && i != j {
				continue
			}
			t.Run(name+" after "+after.String(), func(t *testing.T) {
				t.Parallel()
				r := startDemo(t, "--members", "60")
				hosts := r.hosts(t)
				time.Sleep(after)
				for _, role := range roles {
					_ = syscall.Kill(hosts[role], syscall.SIGKILL) // it may be over
				}
				if code := r.wait(t); code != 0 {
					t.Fatalf("exit code %d\n%s", code, &r.stderr)
				}
				if diff := cmp.Diff(want, totalsIn(t, r.data)); diff != "" {
					t.Errorf("other totals (-want +got):\n%s", diff)
				}
				if left := names(t, r.scratch); len(left) > 0 {
					t.Errorf("left in the scratch folder: %v", left)
				}
			})
		}
	}
}

// A host that does not stay up ends the rehearsal, which names it and keeps what
// it said.
func TestHostDoesNotStay(t *testing.T) {
	t.Parallel()
	r := startDemo(t, "--members", "400")
	within(t, 20*time.Second, "the Helper says something", func() bool {
		logs, err := filepath.Glob(filepath.Join(r.scratch, "muster-rehearsal-*", "1", "helper.log"))
		check(t, err)
		if len(logs) == 0 {
			return false
		}
		info, err := os.Stat(logs[0])
		return err == nil && info.Size() > 0
	})
	killed := map[int]bool{}
	for len(killed) < 4 {
		pid, ok := hostsOf(t, r.scratch)["helper"]
		if !ok || killed[pid] || syscall.Kill(pid, syscall.SIGKILL) != nil {
			time.Sleep(2 * time.Millisecond)
			select {
			case err := <-r.ended:
				t.Fatalf("ended after %d kills: %v\n%s", len(killed), err, &r.stderr)
			default:
			}
			continue
		}
		killed[pid] = true
	}
	if code := r.wait(t); code != 1 || !strings.Contains(r.stderr.String(), "muster: error: the process of the Helper ") || !strings.Contains(r.stderr.String(), "--in-process") {
		t.Errorf("exit code %d\n%s", code, &r.stderr)
	}
	within(t, 20*time.Second, "no host runs any more", func() bool { return len(hostsOf(t, r.scratch)) == 0 })
	logs, err := filepath.Glob(filepath.Join(r.scratch, "muster-host-logs-*", "helper.log"))
	if err != nil || len(logs) != 1 {
		t.Errorf("the logs are not kept: %v (%v); %v", logs, err, names(t, r.scratch))
	}
	if left := names(t, r.scratch); len(left) != 1 {
		t.Errorf("left in the scratch folder: %v", left)
	}
}
