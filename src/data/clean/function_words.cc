#include "data/clean/function_words.h"

namespace atelier::data::clean {

// The words that grammar needs, and the commonest others; what two languages share stands in both lists.
std::span<const FunctionWords> AllFunctionWords() {
  static constexpr FunctionWords kLists[] = {
      {"en",
       "the of and to in is that it was for on are as with his they at be this have from or had by not but what all "
       "were "
       "we when your can said there use an each which she do how their if will up other about out many then them these "
       "so "
       "some her would make like him into time has look two more write go see no way could people my than first been "
       "call "
       "who its now find long down did get come made may part i you he me us our am any after also because before "
       "between "
       "both even every few here just know last much must never new off old only over own same should since such take "
       "too under very want well where while why work through those most one good great very really nice love loved "
       "bought "
       "book product quality recommend please thanks thank you're don't doesn't isn't wasn't can't it's i'm i've "
       "another "
       "against again almost always although among around away back became become being cannot does done during else "
       "enough ever got having however itself less let little made making might mine more moreover neither nor nothing "
       "often once ones others perhaps put quite rather seem seemed several something still therefore though thus "
       "together "
       "toward until upon used using usually via whatever whether whose within without yet yes he'd she's they're "
       "won't "
       "file files system command user install package set default following example section see list run using name "
       "need day year years man men world life hand high right left house room state school home night head side eyes "
       "went came told asked looked says say tell think thought feel give gave given keep left best better big small "
       "long "
       "short fast easy hard bad price delivery arrived works worked wonderful excellent terrible happy"},
      {"de",
       "der die das und ist nicht ein eine einen einem einer eines zu den dem des mit für auf von im sich auch es an "
       "als "
       "werden wird aus bei nach wie oder aber um am sind wenn zum zur kann nur noch über sie er ich wir ihr man durch "
       "haben hat war sein mehr diese dieser dieses diesem diesen alle alles sehr gut gerne wieder bestens kein keine "
       "schnell danke bitte vielen hier mir mich uns unter vor bis dass daß ja nein doch schon immer jetzt dann was "
       "wer "
       "wo würde wurde können müssen soll ohne gegen zwischen sowie siehe datei dateien beispiel verwenden benutzer "
       "system für ware lieferung qualität preis gekauft empfehlen leider super toll"},
      {"fr",
       "le la les de des du un une et est en que qui dans pour pas sur au aux avec ce cette ces il elle ils elles nous "
       "vous "
       "je tu se sont ne plus par ou où mais son sa ses leur leurs être avoir fait comme si tout tous toute toutes "
       "bien "
       "très bon bonne même peut été ont était aussi sans sous entre après avant donc alors chez cela ça c'est d'un "
       "d'une "
       "l'on qu'il n'est produit je recommande merci livraison qualité votre vos notre nos lui moi fichier fichiers "
       "système commande utilisateur exemple voir afin lors dont"},
      {"es",
       "el la los las de del y que en un una unos unas es por con no para su sus al lo se como más pero o este esta "
       "estos "
       "estas eso esa ese son ser está están muy ya si sí también fue ha han hay entre sin sobre hasta cuando donde "
       "quien "
       "desde todo todos toda todas nos ni yo tú él ella me te le les mi bien bueno buena gracias producto calidad "
       "archivo "
       "archivos sistema usuario puede pueden debe ejemplo siguiente según usted cada otro otra aunque porque era "
       "años"},
      {"it",
       "il lo la i gli le di del della dei delle dello degli e è che in un una uno per con non si da dal dalla nel "
       "nella "
       "nei nelle su sul sulla come più ma o anche sono essere ha hanno questo questa questi queste quello quella se "
       "al "
       "alla ai alle ci mi ti vi molto bene buono ottimo prodotto qualità grazie file sistema utente può possono deve "
       "comando esempio quando dove chi cui ogni altro senza tra fra fino dopo prima perché tutti tutto era loro"},
      {"pt",
       "o a os as de do da dos das e que em um uma uns umas é por com não para seu sua seus suas ao aos à às no na nos "
       "nas "
       "se como mais mas ou este esta estes estas isso esse essa são ser está estão muito já também foi tem têm há "
       "entre "
       "sem sobre até quando onde quem desde todo todos toda todas nós eu ele ela eles elas me te lhe meu minha bem "
       "bom boa "
       "obrigado produto qualidade arquivo arquivos ficheiro ficheiros sistema usuário utilizador pode podem deve "
       "exemplo "
       "você pelo pela pelos pelas cada outro outra porque era"},
      {"id",
       "yang dan di ini itu dengan untuk dari dalam tidak pada adalah ke akan oleh anda atau juga sebagai dapat ada "
       "bisa "
       "saya kita kami mereka dia telah sudah karena jika lebih seperti untuk tersebut hanya saat harus setelah satu "
       "beberapa semua banyak lain secara antara bagi sangat baik berkas sistem pengguna perintah menggunakan paket "
       "berikut "
       "contoh lihat barang bagus cepat terima kasih bukan belum masih lagi apa siapa mana bagaimana ketika sebuah"},
      {"nl",
       "de het een en van ik te dat die in is niet zijn op aan met als voor er maar om hij ze zij was bij ook nog uit "
       "naar "
       "dan wat worden wordt heeft hebben deze dit kan geen over door je jij u wij we mijn hun haar meer veel goed "
       "heel "
       "erg snel bedankt kwaliteit bestand gebruiker moet zou tot of waar wie hoe toen nu al zo onder tegen na"},
      {"sv",
       "och att det i en på är som för av med till den har de inte om ett han hon var jag men sig från vi så kan när "
       "nu du "
       "eller efter mycket bra detta dessa ska skulle bli blev utan där här vid över under mot också bara alla hade "
       "mig "
       "dig oss er ni än tack fil användare"},
      {"da",
       "og at det i en på er som for af med til den har de ikke om et han hun var jeg men sig fra vi så kan når nu du "
       "eller "
       "efter meget godt dette disse skal skulle blive blev uden hvor her ved over under mod også kun alle havde mig "
       "dig "
       "os jer end tak være hvad hvem bruger"},
      {"no",
       "og at det i en på er som for av med til den har de ikke om et han hun var jeg men seg fra vi så kan når nå du "
       "eller "
       "etter mye bra dette disse skal skulle bli ble uten hvor her ved over under mot også bare alle hadde meg deg "
       "oss "
       "dere enn takk være hva hvem"},
      {"fi",
       "ja on ei se että oli hän joka mutta niin kuin myös olla ovat tai jos kun vain minä sinä me te he tämä nämä ne "
       "sen "
       "mitä mikä kuka missä nyt jo vielä kanssa ennen sekä hyvä erittäin kiitos tuote ole voi pitää tiedosto"},
      {"pl",
       "i w na nie się z do to że jest o jak po co ale za od przez dla czy są był była było być może tak tylko jego "
       "jej ich "
       "już ten ta te tym tego tej oraz lub gdy który która które bardzo dobry dobrze polecam dziękuję produkt plik "
       "użytkownik przy pod nad bez jeśli także"},
      {"cs",
       "a v na se že je s z do o i to jako za pro by ale podle po už od k jsou jak co který která které tak při byl "
       "byla "
       "bylo být ve si jen nebo až ještě také velmi dobrý děkuji soubor uživatel může musí pokud tento tato tyto není "
       "jsem"},
      {"ro",
       "și de a în la cu pe nu o un care este că din se pentru mai sau sunt fi au am dar ca după cum prin acest "
       "această "
       "acestea foarte bun mulțumesc fișier utilizator poate trebuie când unde fără între toate"},
      {"hu",
       "a az és hogy nem is egy ez volt van meg csak de ha mint már még el azt ezt vagy lehet kell nagyon jó köszönöm "
       "fájl felhasználó minden majd után alatt között pedig mert ami aki"},
      {"tr",
       "ve bir bu için ile de da çok ne gibi daha olan olarak var yok ama en kadar sonra ben sen o biz siz onlar değil "
       "mi "
       "her şey iyi teşekkürler ürün kullanıcı dosya veya ise göre olduğu ki tavsiye ederim"},
      {"vi",
       "và của là có không được cho các trong một những với này để người khi đã từ như đến về cũng sẽ rất tốt cảm ơn "
       "hàng "
       "tôi bạn anh chị nó họ chúng thì mà nhưng hay hoặc tại vì nếu"},
      {"la",
       "et in est non ad cum ut sed quod qui si ex per sunt ab esse quam enim nec atque autem dolor ipsum sit amet"},
  };
  return kLists;
}

}  // namespace atelier::data::clean
