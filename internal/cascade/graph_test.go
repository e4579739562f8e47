package cascade_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/cascade"
	"muster/internal/errs"
)

func TestNewGraphRefusesByName(t *testing.T) {
	t.Parallel()
	sound := func() ([]cascade.Service, []cascade.Requirement) {
		return plain(3), []cascade.Requirement{
			{Service: 2, Name: "power", Need: 1, Suppliers: []int32{0, 1}, Binding: cascade.Always},
		}
	}
	rows := []struct {
		name  string
		spoil func(s []cascade.Service, r []cascade.Requirement) ([]cascade.Service, []cascade.Requirement)
		want  string
	}{
		{"empty", func([]cascade.Service, []cascade.Requirement) ([]cascade.Service, []cascade.Requirement) {
			return nil, nil
		}, "there is no service"},
		{"twice the same id", service(func(s *cascade.Service) { s.ID = "1" }), `service "1" stands there twice, as number 1 and 2`},
		{"no id", service(func(s *cascade.Service) { s.ID = "" }), `the id of service number 1 is ""`},
		{"spaces", service(func(s *cascade.Service) { s.ID = " a" }), `the id of service number 1 is " a"`},
		{"weight", service(func(s *cascade.Service) { s.Weight = 1001 }), `service "0" has the weight 1001; allowed: 0 to 1000`},
		{"no severity", service(func(s *cascade.Service) { s.Severity = 0 }), `service "0" has the severity 0`},
		{"severity", service(func(s *cascade.Service) { s.Severity = 2 * cascade.Always }), `service "0" has the severity 2`},
		{"no repair", service(func(s *cascade.Service) { s.Repair.Median = 0 }), `service "0" has a median repair time of 0 minutes`},
		{"negative repair", service(func(s *cascade.Service) { s.Repair.Median = -1 }), `service "0" has a median repair time of -1 minutes`},
		{"spread", service(func(s *cascade.Service) { s.Repair.Spread = 5 << 16 }), `service "0" has the spread 5`},
		{"negative restart", service(func(s *cascade.Service) { s.Restart = -1 }), `service "0" has a restart lag of -1 minutes`},
		{"no weight at all", func(s []cascade.Service, r []cascade.Requirement) ([]cascade.Service, []cascade.Requirement) {
			for i := range s {
				s[i].Weight = 0
			}
			return s, r
		}, "no service has a weight"},
		{"dangling service", requirement(func(r *cascade.Requirement) { r.Service = 3 }), `requirement "power" is one of service number 4, which is not there`},
		{"dangling supplier", requirement(func(r *cascade.Requirement) { r.Suppliers[0] = -1 }), `requirement "power" of service "2" has service number 0 as supplier, which is not there`},
		{"self-loop", requirement(func(r *cascade.Requirement) { r.Suppliers[1] = 2 }), `requirement "power" of service "2" has the service itself as supplier`},
		{"supplier twice", requirement(func(r *cascade.Requirement) { r.Suppliers[1] = 0 }), `requirement "power" of service "2" has supplier "0" twice`},
		{"no supplier", requirement(func(r *cascade.Requirement) { r.Suppliers = nil }), `requirement "power" of service "2" has 0 suppliers`},
		{"needs none", requirement(func(r *cascade.Requirement) { r.Need = 0 }), `requirement "power" of service "2" needs 0 of 2 suppliers; allowed: 1 to 2`},
		{"needs three of two", requirement(func(r *cascade.Requirement) { r.Need = 3 }), `requirement "power" of service "2" needs 3 of 2 suppliers`},
		{"binding", requirement(func(r *cascade.Requirement) { r.Binding = cascade.Always + 1 }), `requirement "power" of service "2" binds with probability 1.00001`},
		{"negative buffer", requirement(func(r *cascade.Requirement) { r.Buffer = -60 }), `requirement "power" of service "2" has a buffer of -60 minutes`},
		{"endless buffer", requirement(func(r *cascade.Requirement) { r.Buffer = math.MaxInt32 }), `has a buffer of 2147483647 minutes`},
		{"twice the same name", func(s []cascade.Service, r []cascade.Requirement) ([]cascade.Service, []cascade.Requirement) {
			return s, append(r, r[0])
		}, `requirement "power" of service "2" stands there twice`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			services, requirements := sound()
			mustGraph(t, services, requirements)
			_, err := cascade.NewGraph(row.spoil(services, requirements))
			var faults cascade.Faults
			if !errors.As(err, &faults) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v; want %q", err, row.want)
			}
		})
	}
}

func service(spoil func(*cascade.Service)) func([]cascade.Service, []cascade.Requirement) ([]cascade.Service, []cascade.Requirement) {
	return func(s []cascade.Service, r []cascade.Requirement) ([]cascade.Service, []cascade.Requirement) {
		spoil(&s[0])
		return s, r
	}
}

func requirement(spoil func(*cascade.Requirement)) func([]cascade.Service, []cascade.Requirement) ([]cascade.Service, []cascade.Requirement) {
	return func(s []cascade.Service, r []cascade.Requirement) ([]cascade.Service, []cascade.Requirement) {
		spoil(&r[0])
		return s, r
	}
}

func TestFaultsAreLimited(t *testing.T) {
	t.Parallel()
	services := plain(2)
	requirements := make([]cascade.Requirement, 100_000)
	for i := range requirements {
		requirements[i].Service = 9
	}
	_, err := cascade.NewGraph(services, requirements)
	var faults cascade.Faults
	if !errors.As(err, &faults) || len(faults) != errs.MaxFaults {
		t.Errorf("%d faults of rubbish, want %d", len(faults), errs.MaxFaults)
	}
}

func TestNumbersAreRefused(t *testing.T) {
	t.Parallel()
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -0.001, 1e300} {
		if p, err := cascade.Chance(x); err == nil {
			t.Errorf("Chance(%v) = %v", x, p)
		}
		if m, err := cascade.Hours(x); err == nil && x != -0.001 {
			t.Errorf("Hours(%v) = %v", x, m)
		}
		if s, err := cascade.Sigma(x); err == nil {
			t.Errorf("Sigma(%v) = %v", x, s)
		}
	}
	if p, err := cascade.Chance(1); err != nil || p != cascade.Always {
		t.Errorf("Chance(1) = %v, %v", p, err)
	}
	if m, err := cascade.Hours(1.5); err != nil || m != 90 {
		t.Errorf("Hours(1.5) = %v, %v", m, err)
	}
}

func TestRunRefuses(t *testing.T) {
	t.Parallel()
	g := mustGraph(t, plain(2), nil)
	fine := cascade.Options{Trials: 1}
	rows := []struct {
		name string
		hits []cascade.Probability
		o    cascade.Options
		want string
	}{
		{"no trials", make([]cascade.Probability, 2), cascade.Options{}, "there cannot be 0 trials"},
		{"too few hits", make([]cascade.Probability, 1), fine, "the scenario has 1 hit probabilities for 2 services"},
		{"hit", []cascade.Probability{0, 2 * cascade.Always}, fine, `service "1" has a hit probability of 2`},
		{"engine", make([]cascade.Probability, 2), cascade.Options{Trials: 1, Engine: "fast"}, `there is no engine "fast"`},
		{"horizon", make([]cascade.Probability, 2), cascade.Options{Trials: 1, Horizon: -1}, "the horizon cannot be -1 minutes"},
		{"samples", make([]cascade.Probability, 2), cascade.Options{Trials: 1, Samples: -1}, "there cannot be -1 sample times"},
		{"threads", make([]cascade.Probability, 2), cascade.Options{Trials: 1, Threads: -1}, "there cannot be -1 threads"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := cascade.Run(t.Context(), g, cascade.Scenario{Hits: row.hits}, row.o)
			if errs.KindOf(err) != errs.Invalid || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v; want %q", err, row.want)
			}
		})
	}
}

func TestZeroDelayCycles(t *testing.T) {
	t.Parallel()
	link := func(service, supplier int32, buffer cascade.Minutes) cascade.Requirement {
		return cascade.Requirement{Service: service, Name: fmt.Sprint(supplier), Need: 1, Suppliers: []int32{supplier}, Binding: cascade.Always, Buffer: buffer}
	}
	g := mustGraph(t, plain(7), []cascade.Requirement{
		link(0, 1, 0), link(1, 2, 0), link(2, 0, 0), // without any delay
		link(3, 4, 0), link(4, 3, 60), // with one
		link(5, 0, 0), link(6, 5, 0), // no cycle
	})
	if diff := cmp.Diff([][]int{{0, 1, 2}}, g.ZeroDelayCycles()); diff != "" {
		t.Errorf("cycles (-want +got):\n%s", diff)
	}
}
