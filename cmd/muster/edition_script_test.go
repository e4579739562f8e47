package main

import (
	"encoding/csv"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"muster/internal/release"
)

// cmdRefers puts a reference to something that a release shows, also coarsened for
// partners, in the place of @SHOWN@ in texts.
func cmdRefers(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) >= 2, "refers RELEASE TEXT...")
	r, err := release.Parse([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	for _, a := range r.Areas {
		for _, o := range a.Outcomes {
			if _, ok := o.Evidence.Count("E2", "E3"); !ok {
				continue
			}
			for _, path := range args[1:] {
				text := strings.ReplaceAll(ts.ReadFile(path), "@SHOWN@", "{"+o.ID+" evidence E2-E3 of}")
				ts.Check(os.WriteFile(ts.MkAbs(path), []byte(text), 0o600))
			}
			return
		}
	}
	ts.Fatalf("%s shows no evidence that is parted between E1 and E2", args[0])
}

// cmdDelivered says of every member of a file that it has delivered.
func cmdDelivered(ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, neg, len(args) == 3, "delivered CYCLE MEMBERS DIR")
	rows, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[1]))).ReadAll()
	ts.Check(err)
	for _, row := range rows[1:] {
		muster(ts, "coordinator", "cycle", "status", args[0], strings.ToLower(row[0]), "delivered", "--config", args[2]+"/coordinator.yaml")
	}
}
