/** What a field's name says about its value. Names are compared without case, hyphens, underscores and dots. */

/** Secrets, and what identifies a person, wherever they stand. */
const MASKED: ReadonlySet<string> = new Set([
  // Secrets. Codes and serials are what a shop's customer has paid for.
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'credentials',
  'password',
  'passwd',
  'passphrase',
  'pin',
  'otp',
  'otpcode',
  'otpsession',
  'xotpsession',
  'session',
  'sessionid',
  'codes',
  'couponcode',
  'serial',
  'serials',
  'deliverables',
  'sealed',
  'signature',
  'sig',
  'xamzsignature',
  'privatekey',
  'encryptionkey',
  'args',
  'argv',
  // A person.
  'mail',
  'emails',
  'phones',
  'mobile',
  'telephone',
  'tel',
  'fax',
  'whatsapp',
  'identifier',
  'otpidentifier',
  'firstname',
  'middlename',
  'lastname',
  'fullname',
  'surname',
  'familyname',
  'givenname',
  'nickname',
  'username',
  'customername',
  'recipientname',
  'receivername',
  'contactname',
  'buyername',
  'birthday',
  'birthdate',
  'dateofbirth',
  'gender',
  // Where they live, and what they told the courier.
  'line1',
  'line2',
  'line3',
  'city',
  'town',
  'district',
  'postcode',
  'postalcode',
  'zip',
  'zipcode',
  'housenumber',
  'buildingname',
  'floornumber',
  'apartmentnumber',
  'blockid',
  'streetid',
  'latitude',
  'longitude',
  'note',
  'notes',
  'merchantnotes',
  'instructions',
  // Numbers of a person or business.
  'vatid',
  'vatnumber',
  'taxnumber',
  'cpf',
  'cnpj',
  'iban',
  'cardnumber',
  'cvv',
  'cvc',
  'nationalid',
  'passport',
]);

const MASKED_BEGINNINGS = ['addressline', 'street', 'company', 'taxid', 'serialcode', 'serialnumber'];

const MASKED_ENDINGS = [
  'email',
  'emailaddress',
  'phone',
  'phonenumber',
  'mobilenumber',
  'password',
  'secret',
  'secretkey',
  'token',
  'tokens',
  'apikey',
  'accesskey',
  'taxid',
  'webhookurl',
];

/** Records of a person or a place where somebody lives. */
const PERSON_RECORDS: ReadonlySet<string> = new Set([
  'customer',
  'recipient',
  'receiver',
  'consignee',
  'contact',
  'person',
  'buyer',
  'user',
  'shipto',
  'shipfrom',
  'billto',
  'sender',
]);

/** Names whose values are ids, states and the like, whatever digits they hold. */
const IDENTIFIERS: ReadonlySet<string> = new Set([
  'id',
  'ids',
  'uid',
  'uuid',
  'ref',
  'reference',
  'references',
  'code',
  'status',
  'state',
  'kind',
  'type',
  'event',
  'account',
  'provider',
  'step',
  'rule',
  'purpose',
  'method',
  'level',
  'time',
  'at',
  'date',
  'sku',
  'country',
  'currency',
  'host',
  'hostname',
  'origin',
  'port',
  'pid',
  'queue',
  'job',
  'version',
  'hash',
  'etag',
  'cursor',
  'quantity',
]);

/** Of those, what is kept inside a record of a person. */
const KEPT_OF_PERSONS: ReadonlySet<string> = new Set([
  'id',
  'ids',
  'uid',
  'uuid',
  'reference',
  'code',
  'status',
  'type',
  'country',
  'countrycode',
  'currency',
]);

// As a word of its own at the end, in camelCase, snake_case or kebab-case: `orderId`, `created_at`, not `flat`.
const ID_ENDING =
  /(?:[a-z0-9](?:Id|Ids|ID|IDs|Uid|Reference|References)|[_-](?:id|ids|uid|reference|references))$/;
const STATE_ENDING =
  /(?:[a-z0-9](?:Status|State|Kind|Code|At|Ms|Hash)|[_-](?:status|state|kind|code|at|ms|hash))$/;

interface Answer {
  masked: boolean;
  person: boolean;
  identifier: boolean;
  keptOfPerson: boolean;
}

const answers = new Map<string, Answer>();
// Names come from code and from providers' bodies: without bounds, a hostile body would fill the memory.
const MAX_ANSWERS = 5_000;
const LONGEST_REMEMBERED = 100;

function judge(name: string): Answer {
  const known = answers.get(name);
  if (known !== undefined) return known;
  const answer = judgeAnew(name);
  if (name.length <= LONGEST_REMEMBERED) {
    if (answers.size >= MAX_ANSWERS) answers.clear();
    answers.set(name, answer);
  }
  return answer;
}

/** What scrubbing puts into texts, names among them: it says nothing about a field. */
export const MASKS = /\[(?:secret|redacted|email|digits)\]/g;

function judgeAnew(path: string): Answer {
  // A name may be a path (`customer.email`, `/customer/email`): its last part says what it is.
  const name =
    path
      .replace(MASKS, '')
      .split(/[.[\]/]/)
      .findLast((part) => part !== '') ?? '';
  const bare = name.replace(/[^\p{L}\p{N}]/gu, '').toLowerCase();
  const masked =
    MASKED.has(bare) ||
    MASKED_BEGINNINGS.some((beginning) => bare.startsWith(beginning)) ||
    MASKED_ENDINGS.some((ending) => bare.endsWith(ending));
  return {
    masked,
    person: PERSON_RECORDS.has(bare) || bare.endsWith('address') || bare.endsWith('addresses'),
    identifier: !masked && (IDENTIFIERS.has(bare) || ID_ENDING.test(name) || STATE_ENDING.test(name)),
    keptOfPerson: !masked && (KEPT_OF_PERSONS.has(bare) || ID_ENDING.test(name)),
  };
}

/** By these a person is reached. */
const CONTACT = /^(?:e-?mail|(?:mobile|phone|telephone)[-_ ]?(?:number)?)/i;

/** Whether fields of these names are a person's: a bare `name` is one only beside a way to reach its bearer. */
export function arePersonFields(names: readonly string[]): boolean {
  return names.some((name) => name.toLowerCase() === 'name') && names.some((name) => CONTACT.test(name));
}

/** Whether a value of this name is never shown. */
export function isMasked(name: string): boolean {
  return judge(name).masked;
}

/** Whether this name holds a record of a person: inside, little is shown. */
export function isPersonRecord(name: string): boolean {
  return judge(name).person;
}

/**
 * Whether a value of this name is an id, a state, a time or the like, and kept.
 * @param ofPerson inside a record of a person, where fewer are
 */
export function isIdentifier(name: string, ofPerson: boolean): boolean {
  const answer = judge(name);
  return ofPerson ? answer.keptOfPerson : answer.identifier;
}
