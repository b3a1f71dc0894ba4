/** The simulated restaurant itself and its loyalty program, with every field of the OpenAPI document. */
import { PROGRAM_ID } from './customers.js';

export const COMPANY_ID = '2SimCompany0000000000000001';
const PROGRAM_NAME = 'Clube do Simulador';
const SINCE = '2026-01-01T00:00:00Z';
const EMAIL = 'contato@simulador.example';
const WEBSITE = 'https://simulador.example';

/** What customers and rewards say of their program. */
export const PROGRAM = { program_id: PROGRAM_ID, program_name: PROGRAM_NAME } as const;

export const COMPANY_PROFILE = {
  id: COMPANY_ID,
  name: 'Restaurante Simulador',
  trading_name: 'Simulador',
  slug: 'simulador',
  email: EMAIL,
  phone: '+551130000000',
  website: WEBSITE,
  logo_uuid: null,
  primary_color: '#AA3300',
  secondary_color: '#FFEEDD',
  social_links: {},
  instagram_url: '',
  google_review_url: '',
  menu_url: WEBSITE,
  survey_url: '',
  address: 'Rua Augusta, 1',
  city: 'São Paulo',
  state: 'SP',
  zip_code: '01305-000',
  country: 'BR',
  business_type: 'restaurant',
  description: '',
  currency: 'BRL',
  is_branch: false,
  branch_name: '',
  is_public: true,
  status: 'active',
  is_active: true,
  loyalty_programs_count: 1,
  active_customers_count: 0,
  created_at: SINCE,
  updated_at: SINCE,
  zupy_balance: '0.000000',
  program_setup_completed: true,
  airdrop_claimed_at: null,
};

export const LOYALTY_PROGRAM = {
  id: PROGRAM_ID,
  name: PROGRAM_NAME,
  slug: 'simulador',
  enrollment_url: null,
  description: '',
  company_id: COMPANY_ID,
  points_name: 'Pontos',
  point_expiration_days: 0,
  points_per_currency: '1.00',
  minimum_points_redemption: 0,
  is_public: true,
  tiers_enabled: true,
  tier_definitions: '',
  welcome_campaign_id: null,
  how_it_works: '',
  status: 'published',
  profile_completion_enabled: false,
  profile_completion_points: 0,
  email: EMAIL,
  logo_url: null,
  rewards_count: 0,
  active_customers_count: 0,
  is_active: true,
  created_at: SINCE,
  updated_at: SINCE,
};
