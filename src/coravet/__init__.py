"""CoraVet: a multi-tenant service for veterinary clinics."""
