/** Names for finding names: common first names, cities, countries, and words that end companies and job titles. */
export const firstNames = `james john robert michael william david richard joseph thomas charles christopher daniel matthew anthony mark donald
steven paul andrew joshua kenneth kevin brian george edward ronald timothy jason jeffrey ryan jacob gary nicholas eric jonathan stephen larry
justin scott brandon benjamin samuel gregory frank alexander raymond patrick jack dennis jerry tyler aaron jose adam nathan henry peter
zachary douglas harold kyle noah ethan jeremy walter christian keith roger terry austin sean gerald carl dylan harry jordan jesse bryan
lawrence arthur gabriel bruce logan juan albert willie elijah wayne randy vincent mason roy ralph bobby russell bradley philip eugene
mary patricia jennifer linda elizabeth barbara susan jessica sarah karen lisa nancy betty sandra margaret ashley kimberly emily donna
michelle carol amanda melissa deborah stephanie rebecca sharon laura cynthia dorothy amy kathleen angela shirley emma brenda pamela
nicole anna samantha katherine christine debra rachel carolyn janet maria olivia heather helen catherine diane julie victoria joyce
lauren kelly christina ruth joan virginia judith evelyn hannah andrea megan cheryl jacqueline madison teresa abigail sophia martha sara
gloria janice kathryn ann isabella judy charlotte julia grace amber alice jean denise frances danielle marilyn natalie beverly diana
tim tom bob bill jim joe mike dave steve dan matt chris alex sam ben nick tony jeff greg kate liz jen sue satya sundar elon jeff jane priya
raj amit anita wei li ming yuki hiroshi kenji mohammed ahmed ali fatima omar hassan aisha lars sven ingrid anders hans klaus jürgen
wolfgang ursula petra pierre jean-pierre marie sophie luc claire antoine giovanni marco giulia luca francesca paolo carlos luis miguel
javier pedro ana lucia sofia diego pablo ivan olga dmitri natasha sergei tatiana`;

export const cities = `London; Paris; Berlin; Madrid; Rome; Vienna; Amsterdam; Brussels; Dublin; Lisbon; Stockholm; Oslo; Copenhagen; Helsinki; Warsaw;
Prague; Budapest; Athens; Zurich; Geneva; Munich; Hamburg; Frankfurt; Cologne; Milan; Barcelona; Lyon; Manchester; Birmingham; Edinburgh;
New York; Los Angeles; Chicago; Houston; Phoenix; Philadelphia; San Antonio; San Diego; Dallas; San Jose; Austin; San Francisco; Seattle; Denver;
Boston; Washington; Miami; Atlanta; Detroit; Las Vegas; Portland; Toronto; Montreal; Vancouver; Mexico City; São Paulo; Rio de Janeiro; Buenos Aires;
Santiago; Bogotá; Lima; Tokyo; Osaka; Kyoto; Seoul; Beijing; Shanghai; Shenzhen; Hong Kong; Singapore; Bangkok; Jakarta; Manila; Kuala Lumpur; Mumbai;
Delhi; New Delhi; Bangalore; Hyderabad; Chennai; Dubai; Abu Dhabi; Tel Aviv; Jerusalem; Istanbul; Ankara; Cairo; Lagos; Nairobi; Johannesburg;
Cape Town; Casablanca; Sydney; Melbourne; Brisbane; Perth; Auckland; Wellington; Moscow; Kyiv; Redmond; Cupertino; Palo Alto; Mountain View`;

export const countries = `United States; United Kingdom; Germany; France; Spain; Italy; Portugal; Netherlands; Belgium; Austria; Switzerland; Sweden; Norway;
Denmark; Finland; Ireland; Poland; Czech Republic; Hungary; Greece; Romania; Bulgaria; Croatia; Ukraine; Russia; Turkey; Canada; Mexico; Brazil;
Argentina; Chile; Colombia; Peru; China; Japan; South Korea; India; Indonesia; Thailand; Vietnam; Malaysia; Philippines; Singapore; Pakistan;
Australia; New Zealand; South Africa; Nigeria; Kenya; Egypt; Morocco; Israel; Saudi Arabia; United Arab Emirates; Iran; Iraq; Iceland; Luxembourg;
England; Scotland; Wales; USA; UK; U.S.; UAE`;

export const notNames = `The A An This That These Those It He She We They You I My Our Your His Her Their Its In On At By For From With And But Or If
When Where What Who Why How Please Thanks Thank Hello Hi Hey Dear Yes No Not Can Could Would Will Should May Might Do Does Did Is Are Was Were
Has Have Had Be Been As After Before During While Since Until Also There Here Then Now Today Tomorrow Yesterday Tonight Monday Tuesday Wednesday
Thursday Friday Saturday Sunday January February March April June July August September October November December Mon Tue Wed Thu Fri Sat Sun
Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Great Good Best Very So Just Only All Some Any Each Every More Most One Two Three Let Lets
Get Got Make Made Order Email Phone Call Contact Address Name Company Date Time Price Total Invoice Table Booking Reservation Party Sorry OK Okay
English German French Spanish Italian American British European CEO CTO CFO COO CMO CIO VP SVP EVP President Director Manager Chief Head Im Ive Id`;

export const titleWords = `engineer developer manager director designer analyst consultant architect scientist researcher officer president
administrator accountant lawyer attorney nurse doctor teacher professor editor journalist reporter writer author chef driver assistant
secretary coordinator specialist supervisor technician representative recruiter founder co-founder chairman chairwoman chairperson partner
principal programmer strategist minister senator mayor governor captain coach chancellor spokesperson spokesman spokeswoman lead intern`;
