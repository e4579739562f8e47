package turboshake_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"muster/vdaf/internal/turboshake"
)

func sum(message []byte, d byte, length int) []byte {
	var x turboshake.XOF
	x.Absorb(message)
	x.Pad(d)
	out := make([]byte, length)
	x.Squeeze(out)
	return out
}

// pattern is ptn(n) of RFC 9861 section 5: 00 01 .. FA repeated and cut to n bytes.
func pattern(n int) []byte {
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(i % 0xfb)
	}
	return p
}

// The values are those of RFC 9861 section 5.
func TestPublishedValues(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		message []byte
		domain  byte
		length  int
		last    int // only so many bytes at the end are published; 0 for all
		want    string
	}{
		{"empty, 32 bytes", nil, 0x1f, 32, 0, "1E415F1C5983AFF2169217277D17BB538CD945A397DDEC541F1CE41AF2C1B74C"},
		{"empty, 64 bytes", nil, 0x1f, 64, 0, "1E415F1C5983AFF2169217277D17BB538CD945A397DDEC541F1CE41AF2C1B74C" +
			"3E8CCAE2A4DAE56C84A04C2385C03C15E8193BDF58737363321691C05462C8DF"},
		{"empty, last 32 of 10032 bytes", nil, 0x1f, 10032, 32, "A3B9B0385900CE761F22AED548E754DA10A5242D62E8C658E3F3A923A7555607"},
		{"1 byte", pattern(1), 0x1f, 32, 0, "55CEDD6F60AF7BB29A4042AE832EF3F58DB7299F893EBB9247247D856958DAA9"},
		{"17 bytes", pattern(17), 0x1f, 32, 0, "9C97D036A3BAC819DB70EDE0CA554EC6E4C2A1A4FFBFD9EC269CA6A111161233"},
		{"17**2 bytes", pattern(289), 0x1f, 32, 0, "96C77C279E0126F7FC07C9B07F5CDAE1E0BE60BDBE10620040E75D7223A624D2"},
		{"17**3 bytes", pattern(4913), 0x1f, 32, 0, "D4976EB56BCF118520582B709F73E1D6853E001FDAF80E1B13E0D0599D5FB372"},
		{"17**4 bytes", pattern(83521), 0x1f, 32, 0, "DA67C7039E98BF530CF7A37830C6664E14CBAB7F540F58403B1B82951318EE5C"},
		{"domain 01", []byte{0xff, 0xff, 0xff}, 0x01, 32, 0, "BF323F940494E88EE1C540FE660BE8A0C93F43D15EC006998462FA994EED5DAB"},
		{"domain 06", []byte{0xff}, 0x06, 32, 0, "8EC9C66465ED0D4A6C35D13506718D687A25CB05C74CCA1E42501ABD83874A67"},
		{"domain 07", []byte{0xff, 0xff, 0xff}, 0x07, 32, 0, "B658576001CAD9B1E5F399A9F77723BBA05458042D68206F7252682DBA3663ED"},
		{"domain 0B", bytes.Repeat([]byte{0xff}, 7), 0x0b, 32, 0, "8DEEAA1AEC47CCEE569F659C21DFA8E112DB3CEE37B18178B2ACD805B799CC37"},
		{"domain 30", []byte{0xff}, 0x30, 32, 0, "553122E2135E363C3292BED2C6421FA232BAB03DAA07C7D6636603286506325B"},
		{"domain 7F", []byte{0xff, 0xff, 0xff}, 0x7f, 32, 0, "16274CC656D44CEFD422395D0F9053BDA6D28E122ABA15C765E5AD0E6EAF26F9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want, err := hex.DecodeString(tt.want)
			if err != nil {
				t.Fatal(err)
			}
			got := sum(tt.message, tt.domain, tt.length)
			if tt.last > 0 {
				got = got[len(got)-tt.last:]
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got %X, want %X", got, want)
			}
		})
	}
}

// Absorbing and squeezing in pieces of any size gives the same bytes as doing it at once.
func TestPieces(t *testing.T) {
	t.Parallel()
	message := pattern(1000)
	want := sum(message, 1, 1000)
	for _, size := range []int{1, 7, 167, 168, 169, 335, 336, 337, 999} {
		var x turboshake.XOF
		x.Absorb([]byte("left over from another run"))
		x.Reset()
		for p := message; len(p) > 0; {
			k := min(size, len(p))
			x.Absorb(p[:k])
			p = p[k:]
		}
		x.Pad(1)
		got := make([]byte, len(want))
		for p := got; len(p) > 0; {
			k := min(size, len(p))
			x.Squeeze(p[:k])
			p = p[k:]
		}
		if !bytes.Equal(got, want) {
			t.Errorf("pieces of %d bytes: the output differs", size)
		}
	}
}

func BenchmarkSqueeze(b *testing.B) {
	out := make([]byte, 100*turboshake.Rate)
	var x turboshake.XOF
	x.Pad(1)
	b.SetBytes(int64(len(out)))
	for b.Loop() {
		x.Squeeze(out)
	}
}
