package cascade

import "math"

// repair is a lognormal law in binary logarithms: a repair takes
// 2^(median + spread·z) minutes for a standard normal z, all in units of 1/65536.
type repair struct {
	median int64
	spread int64
	fixed  Minutes // the time itself where there is no spread, else 0
}

const (
	one       = 1 << 16 // the unit of the logarithms
	log2e     = 94548   // 1/ln 2 in units of 1/65536
	cells     = 1 << 10 // of the table of quantiles
	exp2Cells = 1 << 10
)

func newRepair(r Repair) repair {
	if r.Spread == 0 {
		return repair{fixed: r.Median}
	}
	return repair{median: log2(uint64(r.Median)), spread: (int64(r.Spread)*log2e + one/2) >> 16}
}

// log2 returns the binary logarithm of x in units of 1/65536, digit by digit:
// squaring a number doubles its logarithm.
func log2(x uint64) int64 {
	whole := int64(0)
	for x>>whole > 1 {
		whole++
	}
	mantissa := x << (31 - whole) // from 1<<31 until 1<<32
	result := whole
	for range 16 {
		mantissa = mantissa * mantissa >> 31
		result <<= 1
		if mantissa >= 1<<32 {
			mantissa >>= 1
			result++
		}
	}
	return result
}

// repairTables turn sixteen and more random binary digits into a repair time
// without a function of package math but the square root: exponentials and
// logarithms there differ in their last bit between processors, and some fuse
// multiplications with additions. Every product below is rounded by a conversion
// before it is added to anything, which forbids fusing.
type repairTables struct {
	normal [cells/2 + 1]int64 // quantiles of the standard normal from 1/2 on, in units of 1/65536; the last is of one half cell before 1
	exp2   [exp2Cells + 1]int64
}

func newRepairTables() *repairTables {
	t := new(repairTables)
	// exp2[i] is 2^(i/1024) in units of 2^-30, from ten square roots.
	root := 2.0
	for range 10 {
		root = math.Sqrt(root)
	}
	power := 1.0
	for i := range t.exp2 {
		t.exp2[i] = int64(math.Round(float64(power * (1 << 30))))
		power = float64(power * root)
	}
	z := 0.0
	for i := range t.normal {
		q := float64(i) / cells
		if i == cells/2 {
			q = (cells/2 - 0.25) / cells
		}
		z = quantile(q, z)
		t.normal[i] = int64(math.Round(float64(z * one)))
	}
	return t
}

// quantile returns the z up to which the standard normal density from 0 on holds
// q, below 1/2. near is where to begin.
func quantile(q, near float64) float64 {
	z := near
	for range 60 { // Newton's method; the density falls, so it approaches from below and never beyond
		area, density := normal(z)
		step := float64((q - area) / density)
		z += step
		if math.Abs(step) < 1e-13 {
			break
		}
	}
	return z
}

// normal returns the area below the standard normal density from 0 to z, and the
// density at z, by the series z + z³/3 + z⁵/(3·5) + … (Marsaglia 2004).
func normal(z float64) (area, density float64) {
	square := float64(z * z)
	// exp(-square/2), as the 256th power of a short series: what is left of the
	// argument is small.
	x := float64(square / -512)
	e := 1.0
	for k := 12.0; k >= 1; k-- {
		e = 1 + float64(float64(x*e)/k)
	}
	for range 8 {
		e = float64(e * e)
	}
	const rootTwoPi = 2.5066282746310002
	density = float64(e / rootTwoPi)
	term, sum := z, z
	for k := 3.0; k < 200 && term > 1e-18; k += 2 {
		term = float64(float64(term*square) / k)
		sum += term
	}
	return float64(sum * density), density
}

// duration returns a repair time for 64 random bits, at least one minute and at
// most [MaxMinutes]. The first sixteen lie on a table of 1,024 quantiles, with
// straight lines between them; beyond the last cell, once in a thousand, stands
// the quantile of 1/4096.
func (t *repairTables) duration(r *repair, random uint64) Minutes {
	if r.fixed > 0 {
		return r.fixed
	}
	const fraction = 38 // binary digits between two quantiles: 1 of sign, 9 of cell, the rest is not needed
	cell := random >> 54 & (cells/2 - 1)
	between := int64(random >> fraction & (1<<16 - 1))
	z := t.normal[cell]
	z += (t.normal[cell+1] - z) * between >> 16
	if random>>63 != 0 {
		z = -z
	}
	return t.pow(r.median + (r.spread*z)>>16)
}

// pow returns 2^x minutes for x in units of 1/65536.
func (t *repairTables) pow(x int64) Minutes {
	whole := x >> 16
	if whole >= 24 {
		return MaxMinutes
	}
	if whole < -1 {
		return 1
	}
	at := x & (one - 1)
	cell := at >> 6
	m := t.exp2[cell] + (t.exp2[cell+1]-t.exp2[cell])*(at&63)>>6 // 2^-30
	m = (m + 1<<(29-whole)) >> (30 - whole)
	return max(Minutes(m), 1)
}
