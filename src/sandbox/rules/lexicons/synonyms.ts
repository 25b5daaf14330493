/**
 * What words and phrases imply: `what a text says, other ways to say it > what it is about`. A general table for money,
 * shops, software, support and the news, written from common knowledge; the part on banking with the names of the bundled
 * categories in sight, but not the questions' answers. Both sides are stemmed; "not x" on the left
 * also stands for every closer or looser negation of x.
 */
export const synonyms = `
atm, cash machine, cashpoint, cash point, hole in the wall > atm cash withdrawal
withdraw, withdrawal, withdrawing, take money out, took money out, take out money, get cash, got cash, cash out, took out cash, take out cash > cash withdrawal
cash i, notes, banknotes > cash
identity, passport, id card, prove who i am, proof of identity, driving licence, driver license > identity verify
verification, verified, confirm, validate, prove, proof, authenticate, check my identity > verify
top up, topup, add money, adding money, load money, add funds, adding funds, put money, put funds, fund my account, refill, reload, recharge > topup
auto, automatic, automatically, recurring, by itself, on its own > automatic
transfer, sent money, send money, sending money, wire, wired, remit, moved money, move money > transfer
bank transfer, swift, sepa, wire, iban, account number, faster payment, ach > transfer bank
recipient, beneficiary, payee, friend, family, landlord, someone else, the person i sent > recipient beneficiary
not receive, not arrive, not come, not get, not there, not get through, not land, never came, where is, still waiting > not received arrival
not show, not appear, not see, not reflect, missing, not visible, not credited, not in my account > not showing not received not updated
not update, same balance, balance has not changed, balance not changed, balance is the same > not updated balance
balance, available funds, account total > balance
pending, still processing, being processed, in progress, not completed, waiting, still waiting, on hold, how much longer, not gone through yet > pending
stuck, taking so long, taking forever > pending
decline, declined, rejected, refused, denied, not accepted, turned down, blocked my, not let me, would not go through, not go through, not work at > declined failed
fail, failed, error, unsuccessful, not go through, not succeed, not complete, problem with, went wrong > failed
revert, reverted, reversed, returned, cancelled by, came back, disappeared, bounced, sent back, gone back, undone > reverted
not work, not working, does not work, broken, stopped working, not function, faulty, out of order, malfunction, not read, issue with > not working
not recognise, not recognize, not mine, not make, did not make, not familiar, unknown, unfamiliar, strange, suspicious, not remember, not authorise, never made, not do this, do not know > not recognised
fraud, fraudulent, hacked, scam, unauthorised, unauthorized, someone used, someone else is using, used my card, someone has my, stolen details, copied, compromised, cloned, leaked > compromised not recognised
lost, lose, stolen, steal, thief, robbed, mugged, missing, can not find, cannot find, misplaced, left my, theft > lost stolen
phone, mobile, cell, handset, iphone, smartphone > phone
wallet, purse > lost stolen card
swallowed, ate, kept my card, stuck in, retained, took my card, will not give my card back, not give back, sucked in, got stuck, keep my card > swallowed atm
expire, expires, expiration, expiry, run out, valid until, new one before > expire
about to expire, expire soon, expires soon, expiring, going to expire, almost expired > expire
fee, fees, cost, costs, charge, charged, pay extra, extra money, commission, surcharge, price of > charge fee
extra charge, extra fee, additional fee, unknown fee, weird fee, why was i charged, strange fee, extra pound > extra charge fee
statement, bill, invoice, listed > statement
twice, double, two times, duplicate, duplicated, second time, multiple times, more than once, same payment > twice
pin, pin number, pin code > pin
pin blocked, blocked, locked, too many times, too many attempts, unblock, unlock, wrong pin, incorrect pin, tries, attempts > blocked
passcode, password, login, log in, access code, security code > passcode
forget, forgot, forgotten, not remember, can not remember, reset > forgotten
change, changing, set a new, new pin, update, modify, alter, switch > change edit
edit, update my, correct my, moved house, new address, change of address, change my name, married, new phone number, personal information, surname, maiden > edit personal details
address, surname, last name, email address > personal details
details, information, info, data > details
terminate, close my account, close account, closing, delete my account, delete account, deactivate, leave you, shut down, end my account, cancel my account > terminate account
cancel, undo, stop, revoke, recall, mistake, accidentally, wrong person, wrong account > cancel
refund, money back, reimburse, reimbursed, return an item, get back my money, returned item, chargeback > refund
merchant, seller, shop, store, retailer, vendor > payment
purchase, bought, buy, shopping, paid, pay for, payment, spent, used my card to pay > payment
card payment, paid by card, paid with my card, used my card, card transaction, bought with, paid with card > card payment
contactless, tap, nfc, touch and pay, tap and pay > contactless
virtual card, virtual, online card > virtual card
disposable, one time, single use, temporary card, throwaway, disposable card, burner > disposable virtual card
physical card, plastic, real card, actual card, hard copy > physical card
order, request, apply, sign up for > order get
spare, second card, additional card, another card, extra card, more than one card, card for my, for my daughter, for my wife, for my husband, two cards > spare card
link, linked, connect, attach, add my card to, put my card, reactivate, found my card, found my old card, found it, add the card, view my card > linking card
activate, activation, start using, turn on, enable, first time using > activate
accept, accepted, can i use my card, where can i, use my card at, everywhere, which stores, which shops > acceptance
delivery, delivered, deliver, ship, shipping, shipped, mail, mailed, post, courier, send me, express, sent to me, tracking > delivery arrival
how long, how many days, how soon, when will, when can i expect, when do i, how fast, how quickly, time frame, take to arrive, how much time, timeframe, when does > timing estimate
arrive, arrived, come in the mail, still have not received, not arrived, track, on its way, waiting for my card > arrival card
eta, estimated, estimate > estimate timing
country, countries, abroad, overseas, eu, europe, european, uk, us, usa, america, france, germany, spain, international, world, where do you operate, live in, location, regions > country
currency, currencies, euro, euros, pounds, dollars, gbp, usd, eur, aud, foreign, fiat, yen, rupee, crypto, ruble > currency
hold money, store money, types of money, which currencies, what currencies, different currencies, other currencies > currency support
exchange, convert, conversion, swap, exchanging > exchange
exchange rate, rate, interbank, conversion rate, current rate, rates > exchange rate
wrong rate, incorrect rate, rate is wrong, wrong exchange, bad rate, rate was wrong, incorrect exchange, not the rate, rate applied > wrong exchange rate
wrong, incorrect, not correct, not right, different amount, less than, mistake, inaccurate > wrong
wrong amount, less cash, not the amount, different amount, less money, asked for, only got, only received, only gave, instead of, dispensed > wrong amount cash received
amount, sum, value, how much > amount
app, application, in app, mobile app > app
limit, maximum, max, how many, how much can, cap, restriction, limits, restrict, minimum, as many > limits
age, old, years old, how old, kid, child, children, minor, daughter, son, teen, under 18, eighteen, young > age
cheque, check deposit, paper check, checks, cheques > cheque
cash or cheque, deposit cash, cash deposit, deposit, deposited, paid in, pay in > deposit
deposited cash, cash deposit, cheque deposit, deposited a check, deposited a cheque > cash cheque deposit
visa, mastercard, master card > visa mastercard
american express, amex, maestro, other bank, supported > supported cards
apple pay, google pay, apple watch, samsung pay, google wallet, apple > apple pay google
direct debit, standing order, subscription, netflix, gym > direct debit
source of funds, where the money came from, where my money comes from, where money comes from, origin of, money come from, funds come from, where my funds > source funds
verify top up, top up verification, verification code, topup code, verify my top up, verify my card > verify
why do you need, why do i need, why do i have to, is it necessary, do i have to, what is the reason, why is it required, so many details, why must, required to > why
can not verify, cannot verify, not verify, not able to verify, unable, verification failed, not pass, could not verify > unable
not prove, not verified > unable verify
not allow, not permit, not able, prohibited, forbidden, disallowed, not possible to add, not let > not allowed
receive money, get paid, salary, paid into, incoming, people to send me, receive payments, paycheck, wages, send me money > receiving money
into my account, into account, to my account, in my account, deposit into > into account
how do i transfer, how to transfer, from another bank, from my bank, from my other account > transfer into account bank
atm near, which atm, what atm, where can i withdraw, any atm, find an atm, closest atm, nearest atm > atm support
support, supported, offer, available in, allow, do you have > support
bank card, debit, debit card, credit card, my card > card
credit card, debit card > card

order status, where is my order, tracking number, parcel, package > delivery shipping order
late, delayed, delay, overdue > delay delivery
damaged, defective, cracked, scratched, torn, dented > damaged defect quality
wrong item, wrong size, wrong colour, wrong color > wrong item return
return, send it back, give back, exchange it > return refund
discount, coupon, promo code, voucher, promo, sale price > promotion discount
warranty, guarantee > warranty
billing, invoice, receipt, overcharged, payment failed > billing payment
charged, charge, refund, credit card > billing
subscription, renew, renewal, plan, upgrade, downgrade > subscription billing plan
cancel, unsubscribe, terminate, opt out > cancellation cancel
bug, crash, crashes, freezes, exception, stack trace, not load, glitch, error message, 500 error > bug technical error issue problem
feature, would be nice, would love, could you add, please add, suggestion, wish, it would be great, dark mode > feature request suggestion idea
slow, lag, laggy, loading, latency, performance > performance slow technical
how do i, how can i, how to, what is, where do i, is it possible, can you tell me > question inquiry how
complain, complaint, unacceptable, terrible service, disappointed, rude, awful, ridiculous > complaint
thank you, great job, well done, compliment, keep up, excellent service > praise compliment feedback
login, log in, sign in, password, two factor, 2fa, locked out > account login access authentication security
privacy, gdpr, personal data, delete my data > privacy legal
price, pricing, how much does, quote, demo, buy, enterprise plan > sales pricing
partner, reseller, collaboration, sponsor > partnership
job, hiring, vacancy, cv, resume, apply for > career job recruiting
hours, open, opening, closing time, branch > hours location
urgent, asap, immediately, right now, emergency, critical, outage, down, production, as soon as possible, urgently, at once > urgent critical high emergency

match, goal, goals, team, coach, player, league, tournament, football, soccer, basketball, tennis, olympic, cup, season, striker, championship, scored, baseball, cricket, athlete, stadium, nba, nfl, quarterback > sport
election, president, minister, parliament, senate, vote, voters, government, congress, policy, campaign, democrat, republican, lawmakers, treaty, party leader, referendum > politic government election
stocks, market, shares, profit, revenue, earnings, investors, ipo, merger, company, economy, inflation, quarterly, bank, acquisition, startup, trade, ceo, sales rose > business finance economy market
software, computer, ai, artificial intelligence, chip, smartphone, app, internet, google, apple, microsoft, robot, startup, data, cloud, algorithm, code, gadget, laptop, processor, developer > technology tech science software
scientists, study, research, researchers, physics, space, nasa, planet, experiment, species, laboratory, telescope, discovery, biology, chemistry, galaxy > science research
doctor, hospital, patients, disease, virus, vaccine, health, drug, medical, cancer, symptoms, treatment, surgery, diet, clinic, nurse > health medical medicine
movie, film, actor, actress, album, song, music, singer, concert, celebrity, hollywood, tv, series, netflix, band, director, premiere > entertainment music movie film culture
war, troops, un, nations, border, foreign, embassy, minister, military, attack, refugees, ceasefire, diplomats > world international conflict
recipe, restaurant, delicious, chef, meal, dinner, taste, menu, cook, waiter, pizza, dish, kitchen, eat, lunch, breakfast > food restaurant cooking
flight, hotel, airport, travel, trip, vacation, beach, tourist, airline, passport, itinerary, luggage > travel tourism
school, students, teacher, university, exam, college, education, classroom, degree, homework > education
climate, emissions, carbon, pollution, wildlife, forest, warming, renewable, flood, recycling > environment climate nature
police, court, judge, murder, arrested, theft, trial, prison, suspect, lawyer, lawsuit, robbery > crime law legal
contract, clause, agreement, liability, attorney, compliance, plaintiff > legal law
weather, rain, storm, snow, sunny, temperature, hurricane, forecast > weather
car, engine, vehicle, driver, truck, electric car, tyre, garage > automotive car vehicle
house, apartment, rent, mortgage, landlord, tenant, property, bedroom > property housing realestate
dress, shirt, shoes, style, designer, fashion, jacket, jeans > fashion clothing apparel
game, gaming, console, playstation, xbox, nintendo, multiplayer > gaming game
sofa, chair, table, lamp, curtain, bed, furniture, vacuum > home furniture household
phone, laptop, headphones, battery, charger, tv, camera, screen, bluetooth, tablet > electronic device
novel, author, book, chapter, publisher, reading > book literature
skin, makeup, shampoo, lipstick, perfume, cream > beauty cosmetic
toy, doll, puzzle, lego > toy
dog, cat, puppy, pet, kitten, vet > pet animal
run, gym, workout, fitness, yoga, marathon > fitness health sport

free, winner, won, prize, claim, click here, congratulations, lottery, viagra, guaranteed, cash prize, txt, subscribe now, limited time, act now, earn money, no obligation, casino, 100 free, urgent reply, investment opportunity, nigerian, bitcoin profit, cheap pills > spam scam promotion junk
meeting, lunch, tomorrow, see you, are you coming, call me, at home, love you, attached report > ham legitimate personal work
meeting, agenda, reschedule, calendar, appointment > meeting schedule
happy, glad, joy, delighted, love, wonderful, excited, yay, thrilled, smile > joy happy happiness love
angry, furious, hate, annoyed, mad, outraged, irritated, rage, livid > anger angry
sad, cry, crying, depressed, miserable, heartbroken, lonely, grief, unhappy, tears > sadness sad
afraid, scared, terrified, fear, worried, anxious, nervous, panic, frightened > fear anxiety worry
surprised, wow, unexpected, shocked, amazed, astonished, suddenly > surprise
disgusting, gross, nasty, revolting, yuck, sick of > disgust
idiot, stupid, hate you, shut up, moron, loser, kill yourself, trash, scum > toxic insult hate offensive abuse
kill, bomb, shoot, stab, weapon > violence threat
naked, porn, xxx, nude > sexual adult nsfw
hello, hi there, good morning, hey > greeting
bye, goodbye, see you later, farewell > goodbye farewell
book a table, reserve, reservation, book, booking > book reservation booking
cancel my booking, cancel my reservation > cancel cancellation
play, song, listen, playlist > music play
remind, alarm, timer, wake me > reminder alarm
`;
