package port

import (
	"strings"

	"muster/internal/exchange"
)

// measures are what could be done: some by all who share a product, some by one
// member, some that are worth nothing alone. What they cost and how much they help
// is invented.
func (b *builder) measures() exchange.MeasuresFile {
	type action = exchange.ActionRow
	tag := func(do, value, group, amount string) action {
		return action{Do: do, Select: "tag", Value: value, Group: group, Amount: amount}
	}
	f := exchange.MeasuresFile{Source: "SYNTHETIC", Synthetic: true}
	add := func(id, cost, en, fr string, actions ...action) {
		f.Measures = append(f.Measures, exchange.MeasureRow{ID: id, Cost: cost, Title: exchange.Words{"en": en, "fr": fr}, Actions: actions})
	}
	add("terminal-updates", "3", "Updates of berthwise tried in one terminal first", "Mises à jour de berthwise essayées d'abord dans un terminal", tag("fewer-hits", "product:berthwise", "", "4"))
	add("terminal-rebuild", "3", "Spare terminal systems, rebuilt twice a year", "Systèmes de terminal de rechange, reconstruits deux fois par an", tag("faster-repair", "kind:tos", "", "0.5"))
	add("terminal-by-hand", "2", "Terminals that can work two days by hand", "Terminaux capables de travailler deux jours à la main",
		tag("longer-buffer", "kind:terminal", "operating system", "2d"), tag("longer-buffer", "kind:gate", "operating system", "1d"))
	add("terminal-power", "4", "Half a day of own power at every terminal", "Une demi-journée de courant propre à chaque terminal", tag("longer-buffer", "kind:terminal", "power", "12h"))
	add("gates-on-paper", "1", "Gates that can work a day on paper", "Portes capables de travailler un jour sur papier", tag("longer-buffer", "kind:gate", "", "1d"))
	add("exchange-substitute", "4", "A second community system that every port can use", "Un second système communautaire utilisable par chaque port",
		action{Do: "substitute", Select: "tag", Value: "kind:port", Group: "community system", Amount: "exchange-saltpost"})
	add("exchange-hardening", "3", "Community systems checked by an outsider", "Systèmes communautaires vérifiés par un tiers", tag("fewer-hits", "service:exchange", "", "3"))
	add("exchange-cloud", "2", "Community systems in a third cloud region", "Systèmes communautaires dans une troisième région",
		action{Do: "substitute", Select: "tag", Value: "kind:exchange", Group: "cloud", Amount: "cloud-stratafold-west-1"})
	add("energy-hardening", "4", "Energy management apart from office networks", "Conduite de réseau séparée des réseaux de bureau", tag("fewer-hits", "product:gridhelm", "", "4"))
	add("energy-by-hand", "3", "Grids that can be run three days by hand", "Réseaux conduits à la main pendant trois jours", tag("longer-buffer", "kind:grid", "control", "3d"))
	add("holdover-clocks", "3", "Clocks that hold a week without satellites", "Horloges tenant une semaine sans satellites", tag("longer-buffer", "kind:mobile", "time", "7d"), tag("longer-buffer", "kind:rail", "time", "7d"))
	add("radar-and-charts", "2", "Vessel traffic by radar, pilots by chart", "Trafic maritime au radar, pilotes à la carte",
		tag("longer-buffer", "kind:traffic", "position", "7d"), tag("longer-buffer", "kind:pilots", "position", "7d"))
	add("passage-without-position", "1", "Rules of passage without satellite position", "Règles de passage sans position par satellite",
		action{Do: "longer-buffer", Select: "id", Value: "crossings", Group: "position", Amount: "7d"})
	add("state-cloud", "2", "Government networks in a third cloud region", "Réseaux d'État dans une troisième région",
		action{Do: "substitute", Select: "tag", Value: "kind:govnet", Group: "cloud", Amount: "cloud-stratafold-west-1"})
	add("customs-fallback", "1", "Customs that can clear goods afterwards", "Douanes capables de dédouaner après coup", tag("fallback", "kind:customs", "", "0.2"), tag("longer-buffer", "kind:port", "customs", "4d"))
	add("trains-by-hand", "2", "Trains by telephone for half a day", "Trains par téléphone pendant une demi-journée", tag("longer-buffer", "kind:rail", "control", "12h"))
	for p, town := range towns {
		if id := "tos-" + slug(town) + "-1"; b.tagged(id, "product:berthwise") {
			add("updates-"+slug(town), "1", "Updates tried first in "+town, "Mises à jour essayées d'abord à "+town, action{Do: "fewer-hits", Select: "id", Value: id, Amount: "4"})
		}
		if id := b.member("grid-control", p); b.tagged(id, "product:gridhelm") {
			add("energy-"+slug(b.members[p]), "2", "Energy management of "+b.members[p]+" apart from office networks", "Conduite de réseau de "+b.members[p]+" séparée des bureaux",
				action{Do: "fewer-hits", Select: "id", Value: id, Amount: "4"})
		}
	}
	return f
}

// tagged reports whether a service has a tag.
func (b *builder) tagged(id, tag string) bool {
	for _, row := range b.c.Services {
		if row[0] == id {
			return strings.Contains(row[11], tag)
		}
	}
	return false
}
