//go:build !386

package cascade_test

import (
	"bytes"
	"fmt"
	"testing"

	"muster/internal/cascade"
	"muster/internal/demo/port"
	"muster/internal/exchange"
)

// TestTopOfTheExample is [TestTopIsTheTop] on the example, in all of its scenarios. The
// package that reads its files is not built for 386, on which hashes are compared.
func TestTopOfTheExample(t *testing.T) {
	t.Parallel()
	register, shocks := community(t)
	for _, s := range shocks {
		t.Run(s.ID, func(t *testing.T) {
			t.Parallel()
			topIsTheTop(t, register, s.Scenario, cascade.Auto)
		})
	}
}

// community returns the example's register and scenarios.
func community(t *testing.T) (*cascade.Graph, []*exchange.Scenario) {
	t.Helper()
	var members []string
	for i := range port.Members {
		members = append(members, fmt.Sprintf("Member %d", i+1))
	}
	c, err := port.New(members)
	if err != nil {
		t.Fatal(err)
	}
	var services, requirements bytes.Buffer
	if err := exchange.Services.WriteCSV(&services, c.Services); err != nil {
		t.Fatal(err)
	}
	if err := exchange.Requirements.WriteCSV(&requirements, c.Requirements); err != nil {
		t.Fatal(err)
	}
	r, err := exchange.ReadRegister("services.csv", &services, "requirements.csv", &requirements)
	if err != nil {
		t.Fatal(err)
	}
	g, err := r.Graph()
	if err != nil {
		t.Fatal(err)
	}
	var list []*exchange.Scenario
	for _, file := range c.Scenarios {
		var b bytes.Buffer
		if err := file.Write(&b); err != nil {
			t.Fatal(err)
		}
		s, err := r.ReadScenario(file.ID+".yaml", &b)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return g, list
}
