-- Dossiers by the month and place of receipt, and what became of them.
{{ monthly_by_place('dossier', 'int_dossier_month', 'received_month', [
    'dossiers_received', 'dossiers_online', 'dossiers_completed', 'dossiers_completed_on_time',
    'dossiers_completed_late', 'dossiers_digitised', 'dossiers_overdue',
]) }}
