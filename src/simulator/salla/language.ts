/** The two languages that messages come in: Arabic unless a caller asks for English ("Multi-Language Support"). */
import type { IncomingHttpHeaders } from 'node:http';

export type Language = 'ar' | 'en';

/** A sentence in both languages. */
export type Text = Readonly<Record<Language, string>>;

/** What `Accept-Language` names first; Arabic for everything that is not English. */
export function languageOf(headers: IncomingHttpHeaders): Language {
  return headers['accept-language']?.trim().toLowerCase().startsWith('en') === true ? 'en' : 'ar';
}

/** The same words in both languages: what the documentation shows in one only. */
export function untranslated(words: string): Text {
  return { ar: words, en: words };
}

/** What may be wrong with a field. */
export const COMPLAINT = {
  required: (field: string): Text => ({
    ar: `الحقل ${field} مطلوب`,
    en: `The field ${field} is required`,
  }),
  kind: (field: string, kind: Text): Text => ({
    ar: `يجب أن يكون الحقل ${field} ${kind.ar}`,
    en: `The field ${field} must be ${kind.en}`,
  }),
  choice: (field: string, choices: readonly string[]): Text => ({
    ar: `قيمة الحقل ${field} غير صالحة، القيم المتاحة: ${choices.join('، ')}`,
    en: `The value of ${field} is invalid, possible are: ${choices.join(', ')}`,
  }),
  tooLong: (field: string, most: number): Text => ({
    ar: `يجب ألا يزيد الحقل ${field} عن ${most} حرفا`,
    en: `The field ${field} must not have more than ${most} characters`,
  }),
  unknown: (field: string): Text => ({
    ar: `قيمة الحقل ${field} غير موجودة`,
    en: `The value of ${field} does not exist`,
  }),
  taken: (field: string): Text => ({
    ar: `قيمة الحقل ${field} مستخدمة من قبل`,
    en: `The value of ${field} has been used before`,
  }),
} as const;

/** Kinds of values, as `COMPLAINT.kind` completes its sentence with them. */
export const KIND = {
  text: { ar: 'نصا', en: 'a text' },
  integer: { ar: 'رقما صحيحا', en: 'a whole number' },
  flag: { ar: 'صحيحا أو خاطئا', en: 'true or false' },
  object: { ar: 'كائنا', en: 'an object' },
  list: { ar: 'قائمة', en: 'a list' },
  filledList: { ar: 'قائمة غير فارغة', en: 'a list that is not empty' },
  positive: { ar: 'رقما صحيحا موجبا', en: 'a positive whole number' },
  amount: { ar: 'مبلغا غير سالب', en: 'an amount that is not negative' },
  email: { ar: 'بريدا إلكترونيا صالحا', en: 'a valid email address' },
  url: { ar: 'رابطا صالحا', en: 'a valid address' },
  date: { ar: 'تاريخا صالحا', en: 'a valid date' },
  currency: { ar: 'رمز عملة صالحا', en: 'a currency code' },
} as const satisfies Readonly<Record<string, Text>>;

/** Sentences that are about no field. */
export const SENTENCE = {
  notFound: { ar: 'العنصر المطلوب غير موجود', en: 'The requested item was not found' },
  gone: { ar: 'العنصر المطلوب لم يعد متاحا', en: 'The requested item is no longer available' },
  badFilters: { ar: 'معايير البحث غير صالحة', en: 'The filters are invalid' },
  blocked: { ar: 'تم حظر الوصول مؤقتا', en: 'Access has been refused for the time being' },
  tooMany: { ar: 'تم تجاوز الحد المسموح من الطلبات', en: 'The limit of requests has been exceeded' },
  notAcceptable: { ar: 'الصيغة المطلوبة غير مدعومة', en: 'The requested format is not supported' },
  updated: { ar: 'تم تحديث البيانات', en: 'The data has been updated' },
  deleted: { ar: 'تم حذف البيانات', en: 'The data has been deleted' },
  tooLate: {
    ar: 'لا يمكن إلغاء هذا العنصر في حالته الحالية',
    en: 'It cannot be canceled in its present status',
  },
  final: { ar: 'لا يمكن تغيير حالة طلب ملغي', en: 'The status of a canceled order cannot be changed' },
  sameStatus: { ar: 'الحالة المطلوبة هي الحالة الحالية', en: 'It already has the requested status' },
  draft: { ar: 'الطلب مسودة غير مكتملة', en: 'The order is a draft' },
  notDelivered: {
    ar: 'يجب توصيل الشحنة قبل إرجاعها',
    en: 'The shipment must be delivered before its return',
  },
} as const satisfies Readonly<Record<string, Text>>;
