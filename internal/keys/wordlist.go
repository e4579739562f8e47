package keys

// The words of [Words]: describing words at odd places and things at even ones.
// Both lists are alphabetical, and the place of a word in its list is its byte.
// Every word differs from every other, of either list, by two letters at least;
// none stands for a person, so that no pair of them can describe one.
const (
	describingWords = `
able active agile alert alone amber ample ancient apart arctic arid atomic awake azure basic beaming
blank blazing blue bold bouncy brave brief bright brisk broad bronze brown bubbly busy calm candid
capable careful carved casual central chilly civil classic clean clever cloudy coastal cobalt comic
compact complex cool correct covered creamy crimson crisp crowded crucial curious curly custom
daring decent deep direct distant double dusty dutiful eager early earnest eastern elastic elder
elegant equal exact expert fabled fair famous fancy fast final fine firm flat floral fluent fluffy
flying folded formal frank free fresh frosty frozen full funny fuzzy giant gifted glad global glossy
golden good green grey handy happy hearty heavy hidden high honest huge human humble hushed icy
ideal indigo intact ivory jagged jolly joyful junior keen kind large late lavish leafy light lilac
limber liquid little lively lofty long loud loyal lucid lucky lunar magic main marine mellow merry
mighty mild misty modern modest moist muted mystic narrow native nearby neat new nimble noble novel
oblong open ornate oval pale pink placid plain polar polite proper proud public quaint quick quiet
rainy rapid rare ready remote rich rigid ripe robust rocky rosy rough round rustic safe scenic
secure senior shady sharp shiny short silent small smooth snowy soft solid speedy spicy spiral
square starry steady steep still stormy strong sturdy subtle sure sweet swift tall tame tender thin
tidy timely true trusty unique united upward useful vacant valid valued vital vivid warm wavy wide
windy winged witty wooden worthy woven young zesty
`
	thingWords = `
acorn airport album alley almond anchor angle apron arch atlas attic avenue badge bagel bakery
ballad bamboo banana banner barley barrel basket beach beacon beaver bicycle biscuit blanket blossom
boat bottle bridge brook bucket buffalo bulb butter button buzzer cabin cactus camera candle canoe
canyon caravan cargo carpet carrot castle cavern ceiling cello chair chalk chapel cherry cinema
circle cliff clock coffee comet crater crayon cup daisy delta desk dinner door drawer dream drum
eagle earth echo elbow elm engine fabric falcon fence fern fiddle field finger fjord flute forest
fox frog fruit galaxy garden garlic glass glove goose grape guitar hammer hazel hedge helmet heron
hill honey hotel house inlet insect jacket jaguar jar jewel jigsaw juice jungle kennel kettle kite
kiwi koala ladder lagoon lamp laptop lark lawn lemon lens letter lion lizard locket lotus magnet
magpie mango maple market mask meadow melody melon meteor minute mirror mitten moon mosaic
moss mountain museum napkin nectar needle number nutmeg oak oasis office onion orchid otter owl oyster paddle
palace panda parcel peanut pebble pencil pepper piano picnic pigeon pillow pilot planet plaza plum
poem pond poppy port potato prism puppet puzzle quarry quartz quill rabbit radio raft raven record
reef ribbon river roof rudder salad salmon sandal saucer scarf school season shadow shell shovel
sketch spade spider spoon statue stone street sugar summit swan teapot temple tent ticket tiger
toast tomato torch tower train trout truck tulip tunnel turtle vase vessel violin voyage waffle
wagon walnut walrus whale wheel window wolf yacht zebra zenith zipper
`
)
