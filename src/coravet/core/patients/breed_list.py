"""The breeds of dogs and cats that clinics in Ecuador meet: data, which `breeds` reads.

The codes and the English names are taken from the Vertebrate Breed Ontology (VBO) of the Monarch Initiative and OMIA,
https://github.com/monarch-initiative/vertebrate-breed-ontology, licensed under CC BY 4.0
(https://creativecommons.org/licenses/by/4.0/). What was changed: a part of its dogs and cats was
chosen, the species was taken off its labels, and the Spanish names and the further names were added by CoraVet.

One breed a line: code | English name | Spanish name | further names that people write, parted by commas. Each code
was read from the ontology's own tables (dogbreeds.tsv and catbreeds.tsv of November 2025) under exactly that label, and
is among the classes of its release of April 2026.
"""

DOGS = """
VBO:0200902|Mixed Breed|Mestizo|criollo, mixto, cruce, runa, callejero
VBO:0200003|Affenpinscher|Affenpinscher|
VBO:0200004|Afghan Hound|Lebrel afgano|galgo afgano
VBO:0200008|Airedale Terrier|Airedale terrier|
VBO:0200010|Akita|Akita|akita inu, akita japonés
VBO:0200027|American Akita|Akita americano|
VBO:0200017|Alaskan Malamute|Malamute de Alaska|alaska malamute
VBO:0200034|American Bulldog|Bulldog americano|
VBO:0200036|American Bully|American bully|bully, bully americano
VBO:0200038|American Cocker Spaniel|Cocker spaniel americano|cocker americano
VBO:0200046|American Eskimo Dog|Perro esquimal americano|
VBO:0200047|American Foxhound|Foxhound americano|
VBO:0200054|American Pit Bull Terrier|Pit bull terrier americano|pitbull, pit bull
VBO:0200055|American Staffordshire Terrier|American staffordshire terrier|amstaff
VBO:0200062|Anatolian Shepherd Dog|Pastor de Anatolia|kangal
VBO:0200088|Australian Cattle Dog|Pastor ganadero australiano|blue heeler
VBO:0200095|Australian Shepherd|Pastor australiano|
VBO:0200098|Australian Terrier|Terrier australiano|
VBO:0200120|Basenji|Basenji|
VBO:0200126|Basset Hound|Basset hound|
VBO:0200131|Beagle|Beagle|
VBO:0200134|Bearded Collie|Collie barbudo|
VBO:0200136|Beauceron|Pastor de Beauce|
VBO:0200137|Bedlington Terrier|Bedlington terrier|
VBO:0200147|Belgian Shepherd Dog, Malinois|Pastor belga malinois|malinois, malinés
VBO:0200144|Belgian Shepherd Dog|Pastor belga|
VBO:0200145|Belgian Shepherd Dog, Groenendael|Pastor belga groenendael|groenendael
VBO:0200161|Bernese Mountain Dog|Boyero de Berna|bernés de la montaña
VBO:0200163|Bichon Frise|Bichón frisé|bichón, bichón frisé de pelo rizado
VBO:0200174|Black Russian Terrier|Terrier ruso negro|
VBO:0200175|Bloodhound|Perro de San Huberto|
VBO:0200193|Border Collie|Border collie|
VBO:0200194|Border Terrier|Border terrier|
VBO:0200197|Borzoi|Borzoi|galgo ruso
VBO:0200204|Boston Terrier|Boston terrier|
VBO:0200208|Bouvier des Flandres|Boyero de Flandes|
VBO:0200210|Boxer|Bóxer|
VBO:0200214|Boykin Spaniel|Boykin spaniel|
VBO:0200231|Brazilian Terrier|Terrier brasileño|
VBO:0200238|Brittany|Spaniel bretón|bretón español, epagneul bretón
VBO:0200241|Brussels Griffon|Grifón de Bruselas|
VBO:0200255|Bull Terrier|Bull terrier|
VBO:0200882|Miniature Bull Terrier|Bull terrier miniatura|
VBO:0200258|Bulldog|Bulldog inglés|bulldog
VBO:0200261|Bullmastiff|Bullmastiff|
VBO:0200267|Cairn Terrier|Cairn terrier|
VBO:0200712|Italian Cane Corso|Cane corso|mastín italiano
VBO:0200290|Cardigan Welsh Corgi|Corgi galés de Cardigan|
VBO:0200995|Pembroke Welsh Corgi|Corgi galés de Pembroke|corgi
VBO:0200309|Cavalier King Charles Spaniel|Cavalier king charles spaniel|cavalier
VBO:0200326|Chesapeake Bay Retriever|Retriever de Chesapeake|
VBO:0200338|Chihuahua|Chihuahua|chihuahueño
VBO:0200345|Chinese Crested|Crestado chino|perro crestado chino
VBO:0200361|Chow Chow|Chow chow|
VBO:0200316|Cavapoo|Cavapoo|
VBO:0200370|Cockapoo|Cockapoo|
VBO:0200475|Ecuadorian Hairless Dog|Perro sin pelo del Ecuador|perro sin pelo ecuatoriano
VBO:0200366|Clumber Spaniel|Clumber spaniel|
VBO:0200375|Collie|Collie|collie de pelo largo, lassie
VBO:0200389|Coton de Tulear|Cotón de Tulear|
VBO:0200406|Dachshund|Teckel|salchicha, perro salchicha, dachshund
VBO:0200408|Dachshund, Miniature|Teckel miniatura|salchicha miniatura
VBO:0200427|Dalmatian|Dálmata|
VBO:0200442|Doberman Pinscher|Dóberman|doberman
VBO:0200445|Dogo Argentino|Dogo argentino|
VBO:0200450|Dogue de Bordeaux|Dogo de Burdeos|
VBO:0200486|English Cocker Spaniel|Cocker spaniel inglés|cocker spaniel, cocker
VBO:0200490|English Foxhound|Foxhound inglés|
VBO:0200495|English Setter|Setter inglés|
VBO:0200497|English Springer Spaniel|Springer spaniel inglés|
VBO:0200520|Fila Brasileiro|Fila brasileño|fila
VBO:0200526|Finnish Spitz|Spitz finlandés|
VBO:0200528|Flat-Coated Retriever|Retriever de pelo liso|
VBO:0200530|Fox Terrier|Fox terrier|
VBO:0201455|French Bulldog|Bulldog francés|frenchie
VBO:0201454|German Pinscher|Pinscher alemán|
VBO:0200577|German Shepherd Dog|Pastor alemán|ovejero alemán
VBO:0200583|German Shorthaired Pointer|Braco alemán|braco alemán de pelo corto
VBO:0200602|German Wirehaired Pointer|Braco alemán de pelo duro|
VBO:0200604|Giant Schnauzer|Schnauzer gigante|
VBO:0200610|Golden Retriever|Golden retriever|golden
VBO:0200611|Goldendoodle|Goldendoodle|
VBO:0200613|Gordon Setter|Setter gordon|
VBO:0200623|Great Dane|Gran danés|dogo alemán
VBO:0200629|Great Pyrenees|Montaña de los Pirineos|gran pirineo
VBO:0200638|Greyhound|Galgo inglés|greyhound, galgo
VBO:0200662|Havanese|Bichón habanero|habanés
VBO:0200702|Irish Setter|Setter irlandés|
VBO:0200706|Irish Wolfhound|Lebrel irlandés|
VBO:0200713|Italian Greyhound|Galgo italiano|
VBO:0200724|Jack Russell Terrier|Jack russell terrier|jack russell
VBO:0200735|Japanese Chin|Chin japonés|
VBO:0200740|Japanese Spitz|Spitz japonés|
VBO:0200759|Keeshond|Keeshond|spitz lobo
VBO:0200779|Komondor|Komondor|
VBO:0200798|Labradoodle|Labradoodle|
VBO:0200800|Labrador Retriever|Labrador retriever|labrador
VBO:0200819|Leonberger|Leonberger|
VBO:0200824|Lhasa Apso|Lhasa apso|
VBO:0200856|Maltese|Bichón maltés|maltés
VBO:0200860|Malti-Poo|Maltipoo|maltipú
VBO:0200867|Mastiff|Mastín inglés|mastiff
VBO:0200893|Miniature Pinscher|Pinscher miniatura|pinscher, pincher, mini pinscher
VBO:0200896|Miniature Schnauzer|Schnauzer miniatura|schnauzer mini
VBO:0200930|Neapolitan Mastiff|Mastín napolitano|
VBO:0200938|Newfoundland|Terranova|
VBO:0200955|Norwegian Elkhound|Cazador de alces noruego|
VBO:0200969|Old English Sheepdog|Antiguo pastor inglés|bobtail, ovejero inglés
VBO:0200985|Papillon|Papillón|spaniel continental enano
VBO:0200994|Pekingese|Pequinés|
VBO:0201004|Peruvian Hairless Dog|Perro sin pelo del Perú|viringo, perro peruano
VBO:0201016|Pharaoh Hound|Podenco faraónico|
VBO:0201029|Pointer|Pointer inglés|pointer
VBO:0201043|Pomeranian|Pomerania|pomerano, lulú de Pomerania
VBO:0201048|Poodle|Caniche|french poodle, french, poodle, french puddle
VBO:0201051|Poodle, Miniature|Caniche miniatura|french poodle miniatura, poodle mini
VBO:0201056|Poodle, Standard|Caniche gigante|poodle gigante, poodle estándar
VBO:0201061|Poodle, Toy|Caniche toy|poodle toy, french poodle toy
VBO:0201085|Presa Canario|Presa canario|dogo canario
VBO:0201045|Pomsky|Pomsky|
VBO:0201099|Puggle|Puggle|
VBO:0201089|Pug|Pug|carlino, doguillo
VBO:0201102|Puli|Puli|
VBO:0201125|Rat Terrier|Rat terrier|
VBO:0201135|Rhodesian Ridgeback|Perro crestado de Rodesia|
VBO:0201143|Rottweiler|Rottweiler|
VBO:0201160|Saint Bernard|San Bernardo|
VBO:0201171|Saluki|Saluki|galgo persa
VBO:0201174|Samoyed|Samoyedo|
VBO:0201189|Schnauzer, Standard|Schnauzer estándar|schnauzer
VBO:0201198|Scottish Terrier|Terrier escocés|
VBO:0200351|Chinese Shar-Pei|Shar pei|
VBO:0201217|Shetland Sheepdog|Pastor de las islas Shetland|sheltie
VBO:0201220|Shiba Inu|Shiba inu|shiba
VBO:0201223|Shih Tzu|Shih tzu|
VBO:0201233|Siberian Husky|Husky siberiano|husky, siberiano
VBO:0201237|Silky Terrier|Terrier sedoso australiano|
VBO:0201278|Spanish Mastiff|Mastín español|
VBO:0201280|Spanish Water Dog|Perro de agua español|
VBO:0201296|Staffordshire Bull Terrier|Staffordshire bull terrier|staffy
VBO:0201351|Tibetan Mastiff|Mastín tibetano|
VBO:0201352|Tibetan Spaniel|Spaniel tibetano|
VBO:0201353|Tibetan Terrier|Terrier tibetano|
VBO:0201361|Toy Fox Terrier|Fox terrier toy|
VBO:0201389|Vizsla|Braco húngaro|vizsla
VBO:0201401|Weimaraner|Braco de Weimar|weimaraner
VBO:0201412|Welsh Terrier|Terrier galés|
VBO:0201415|West Highland White Terrier|West highland white terrier|westie, westy
VBO:0201421|Whippet|Whippet|
VBO:0201436|Xoloitzcuintli|Xoloitzcuintle|xolo, perro sin pelo mexicano
VBO:0201448|Yorkshire Terrier|Yorkshire terrier|yorkie, yorky, yorkshire
"""

CATS = """
VBO:0100262|Mixed Breed|Mestizo|criollo, mixto, cruce
VBO:0100119|Domestic Shorthair|Doméstico de pelo corto|común de pelo corto, gato común, DSH
VBO:0100265|Domestic Medium Hair|Doméstico de pelo medio|común de pelo medio, DMH
VBO:0100118|Domestic Longhair|Doméstico de pelo largo|común de pelo largo, DLH
VBO:0100000|Abyssinian|Abisinio|
VBO:0100003|American Bobtail|Bobtail americano|
VBO:0100007|American Curl|Curl americano|
VBO:0100018|American Shorthair|Americano de pelo corto|
VBO:0100021|American Wirehair|Americano de pelo duro|
VBO:0100034|Australian Mist|Australian mist|
VBO:0100036|Balinese|Balinés|
VBO:0100040|Bengal|Bengalí|bengala, gato bengal
VBO:0100042|Birman|Sagrado de Birmania|birmano
VBO:0100045|Bombay|Bombay|
VBO:0100051|British Longhair|Británico de pelo largo|
VBO:0100052|British Shorthair|Británico de pelo corto|británico
VBO:0100053|Burmese|Burmés|
VBO:0100056|Burmilla|Burmilla|
VBO:0100067|Chartreux|Cartujo|chartreux
VBO:0100068|Chausie|Chausie|
VBO:0100074|Colorpoint Shorthair|Colorpoint de pelo corto|
VBO:0100077|Cornish Rex|Cornish rex|
VBO:0100080|Cymric|Cymric|
VBO:0100084|Devon Rex|Devon rex|
VBO:0100086|Donskoy|Donskoy|
VBO:0100090|Egyptian Mau|Mau egipcio|
VBO:0100094|European Shorthair|Europeo de pelo corto|europeo común, europeo
VBO:0100096|Exotic Shorthair|Exótico de pelo corto|exótico
VBO:0100109|Havana Brown|Habana|
VBO:0100117|Himalayan|Himalayo|
VBO:0100128|Japanese Bobtail|Bobtail japonés|
VBO:0100131|Javanese|Javanés|
VBO:0100140|Khao Manee|Khao manee|
VBO:0100143|Korat|Korat|
VBO:0100146|Kurilian Bobtail|Bobtail de las Kuriles|
VBO:0100150|LaPerm|LaPerm|
VBO:0100153|Lykoi|Lykoi|gato lobo
VBO:0100154|Maine Coon|Maine coon|mainecoon
VBO:0100156|Manx|Manx|gato de la isla de Man
VBO:0100163|Minuet|Minuet|napoleón
VBO:0100169|Munchkin|Munchkin|
VBO:0100172|Nebelung|Nebelung|
VBO:0100178|Norwegian Forest Cat|Bosque de Noruega|noruego del bosque
VBO:0100179|Ocicat|Ocicat|
VBO:0100183|Oriental Longhair|Oriental de pelo largo|
VBO:0100184|Oriental Shorthair|Oriental de pelo corto|oriental
VBO:0100188|Persian|Persa|
VBO:0100189|Peterbald|Peterbald|
VBO:0100191|Pixiebob|Pixie-bob|
VBO:0100195|Ragamuffin|Ragamuffin|
VBO:0100196|Ragdoll|Ragdoll|
VBO:0100200|Russian Blue|Azul ruso|
VBO:0100208|Savannah|Savannah|
VBO:0100209|Scottish Fold|Fold escocés|
VBO:0100213|Scottish Straight|Escocés de orejas rectas|
VBO:0100215|Selkirk Rex|Selkirk rex|
VBO:0100221|Siamese|Siamés|
VBO:0100223|Siberian|Siberiano|
VBO:0100224|Singapura|Singapura|
VBO:0100227|Snowshoe|Snowshoe|
VBO:0100229|Somali|Somalí|
VBO:0100230|Sphynx|Esfinge|sphynx, gato egipcio sin pelo, gato sin pelo
VBO:0100235|Thai|Thai|
VBO:0100241|Tonkinese|Tonkinés|
VBO:0100245|Toyger|Toyger|
VBO:0100249|Turkish Angora|Angora turco|angora
VBO:0100250|Turkish Van|Van turco|
"""
