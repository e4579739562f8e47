package exchange_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"muster/internal/exchange"
)

func TestPlaces(t *testing.T) {
	t.Parallel()
	services := exchange.ServicesHeader + "\nport-a,A,,,,3,1,1d,0,0h,,,green,high,,\nport-b,B,,,,3,1,1d,0,0h,,,green,high,,\n"
	r, err := exchange.ReadRegister("services.csv", strings.NewReader(services), "requirements.csv", strings.NewReader(exchange.RequirementsHeader+"\nport-a,b,1,port-b,always,0h,green,high,\n"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.ReadPlaces("places.csv", strings.NewReader(exchange.PlacesHeader+"\nport-b,Harbour of B,59.4,24.75\nport-a,A,-33,-180\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []exchange.Place{{Service: 1, Name: "Harbour of B", Lat: 59.4, Lon: 24.75}, {Service: 0, Name: "A", Lat: -33, Lon: -180}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for name, tt := range map[string]struct{ row, want string }{
		"another service": {"port-c,C,1,2", "places.csv:2:1"},
		"twice":           {"port-a,A,1,2\nport-a,A,1,2", "places.csv:3:1"},
		"no name":         {"port-a,,1,2", "places.csv:2:8"},
		"too far north":   {"port-a,A,86,2", "places.csv:2:10"},
		"not a number":    {"port-a,A,NaN,2", "places.csv:2:10"},
		"infinite":        {"port-a,A,1,Inf", "places.csv:2:12"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := r.ReadPlaces("places.csv", strings.NewReader(exchange.PlacesHeader+"\n"+tt.row+"\n"))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
