/** Languages by the small words that give them away, and by the names a category may use. */
export const languages: readonly { name: string; codes: string; words: string; script?: RegExp }[] =
  [
    {
      name: 'english',
      codes: 'en eng',
      words: 'the and is of to in that it was for with you this are have not my',
    },
    {
      name: 'german',
      codes: 'de deu ger deutsch',
      words: 'der die das und ist nicht ich ein eine mit zu den von auf sie es wir haben für',
    },
    {
      name: 'french',
      codes: 'fr fra fre français',
      words: 'le la les et est des une je vous nous pas dans que pour sur avec ce mon au qui',
    },
    {
      name: 'spanish',
      codes: 'es spa español',
      words: 'el los las y es una no que de en por para con mi muy pero como está yo',
    },
    {
      name: 'italian',
      codes: 'it ita italiano',
      words: 'il lo gli e è una non che di per con mio sono molto anche questo della nel',
    },
    {
      name: 'portuguese',
      codes: 'pt por português',
      words: 'o os as é uma não que do da em para com meu muito mas você isso está',
    },
    {
      name: 'dutch',
      codes: 'nl nld dut nederlands',
      words: 'de het een en is niet ik van dat op te met voor zijn mijn wij maar ook',
    },
    {
      name: 'swedish',
      codes: 'sv swe svenska',
      words: 'och det att är en inte jag som på för med har av till mycket den',
    },
    {
      name: 'polish',
      codes: 'pl pol polski',
      words: 'i nie jest w na się to z do że jak ale mnie bardzo czy są',
    },
    {
      name: 'turkish',
      codes: 'tr tur türkçe',
      words: 've bir bu çok için de da ben değil ne ile var mı gibi',
    },
    { name: 'russian', codes: 'ru rus', words: '', script: /\p{Script=Cyrillic}/gu },
    {
      name: 'japanese',
      codes: 'ja jpn',
      words: '',
      script: /[\p{Script=Hiragana}\p{Script=Katakana}]/gu,
    },
    { name: 'chinese', codes: 'zh zho chi mandarin', words: '', script: /\p{Script=Han}/gu },
    { name: 'korean', codes: 'ko kor', words: '', script: /\p{Script=Hangul}/gu },
    { name: 'arabic', codes: 'ar ara', words: '', script: /\p{Script=Arabic}/gu },
    { name: 'hindi', codes: 'hi hin', words: '', script: /\p{Script=Devanagari}/gu },
    { name: 'greek', codes: 'el ell gre', words: '', script: /\p{Script=Greek}/gu },
    { name: 'hebrew', codes: 'he heb', words: '', script: /\p{Script=Hebrew}/gu },
  ];
